"""The admin of Unfold: its pages, with what this package adds to users."""

from __future__ import annotations

from django.urls import reverse

from logto_auth.emulator import Emulator
from tests.profiles.site.visitors import account, signed_in


def test_staff_see_the_pages_of_unfold(logto: Emulator) -> None:
    staff = signed_in(logto, "admin")
    page = staff.open(reverse("admin:index"))
    assert page.status_code == 200
    assert "unfold/css" in page.content.decode()
    users = staff.open(reverse("admin:auth_user_changelist")).content.decode()
    assert "Sign out everywhere" in users


def test_user_page_shows_identity(logto: Emulator) -> None:
    staff = signed_in(logto, "admin")
    page = staff.open(reverse("admin:auth_user_change", args=[account("admin0000001").pk])).content.decode()
    assert "admin0000001" in page
    assert "Signed in" in page

"""Support access in the admin: the action, the link, and the sessions that it shows."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from logto_auth.emulator import Emulator

from .pages_site import Clerk, set_up

pytestmark = pytest.mark.django_db
USERS = "/admin/auth/user/"


@pytest.fixture
def clerk(logto: Emulator, settings: Any) -> Clerk:
    set_up(logto, settings)
    return Clerk(logto)


def choose(clerk: Clerk, *users: Any) -> Any:
    data = {"action": "open_support_access", "_selected_action": [user.pk for user in users]}
    return clerk.client.post(USERS, data, follow=True)


def test_action_leads_to_the_page_of_the_user(clerk: Clerk) -> None:
    assert "Support access…" in clerk.get(USERS).content.decode()
    response = choose(clerk, clerk.ada)
    assert response.redirect_chain == [(clerk.page_of_ada, 302)]
    assert response.status_code == 200


def test_action_needs_one_user(clerk: Clerk) -> None:
    assert "Select one user" in choose(clerk, clerk.ada, clerk.user).content.decode()


def test_page_of_the_user_has_a_link(clerk: Clerk) -> None:
    page = clerk.get(f"{USERS}{clerk.ada.pk}/change/").content.decode()
    assert f'<a href="{clerk.page_of_ada}">Support access…</a>' in page


@pytest.mark.parametrize("lack", ["permission", "urls", "user"])
def test_link_is_only_for_staff_who_may(clerk: Clerk, settings: Any, lack: str) -> None:
    if lack == "permission":
        clerk.user.user_permissions.remove(Permission.objects.get(codename="impersonate_users"))
    elif lack == "urls":
        settings.ROOT_URLCONF = "tests.impersonation.admin_urls"
    else:
        clerk.ada.is_staff = True
        clerk.ada.save()
    page = clerk.get(f"{USERS}{clerk.ada.pk}/change/").content.decode()
    assert "ada000000001" in page
    assert "Support access…" not in page
    if lack != "user":
        assert "Support access…" not in clerk.get(USERS).content.decode()


def test_action_of_somebody_else_is_refused(clerk: Clerk) -> None:
    clerk.user.user_permissions.remove(Permission.objects.get(codename="impersonate_users"))
    assert all(url != clerk.page_of_ada for url, _status in choose(clerk, clerk.ada).redirect_chain)


def test_sessions_of_the_user_name_who_acts(clerk: Clerk, logto: Emulator) -> None:
    other = Clerk(logto)
    clerk.start()
    page = other.client.get(f"{USERS}{clerk.ada.pk}/change/").content.decode()
    assert page.count("(support access by clerk)") == 1


def test_staff_who_act_as_a_user_have_no_admin(clerk: Clerk) -> None:
    clerk.start()
    assert clerk.client.get(USERS, follow=True).status_code == 403

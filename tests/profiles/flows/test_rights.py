"""Organizations, roles and permissions on pages."""

from __future__ import annotations

from django.urls import reverse

from logto_auth.models import OrganizationMembership
from logto_auth.testing import Browser
from tests.profiles.site.visitors import get, home, rows
from tests.rights import HARBOUR, HILL


def test_sign_in_stores_memberships(editor: Browser) -> None:
    held = rows(OrganizationMembership).values_list("organization__logto_id", "roles")
    assert dict(held) == {HARBOUR: ["manager"], HILL: ["staff"]}
    assert home(editor)["organizations"] == [HARBOUR, HILL]


def test_url_selects_organization(reader: Browser, editor: Browser) -> None:
    assert (home(editor, HILL)["organization"], home(editor, HILL)["organization_roles"]) == (HILL, ["staff"])
    assert home(reader, HARBOUR)["organization"] == HARBOUR
    assert home(reader, HILL)["organization"] is None


def test_chosen_organization_is_remembered(editor: Browser) -> None:
    assert home(editor)["organization"] is None
    choice = {"organization_id": HARBOUR, "next": reverse("members")}
    assert editor.client.post(reverse("logto_auth:choose-organization"), choice)["Location"] == reverse("members")
    assert home(editor)["organization"] == HARBOUR
    assert get(editor, "stock").content == b"counted"


def test_page_requires_scope(reader: Browser, editor: Browser) -> None:
    assert get(editor, "write").content == b"written"
    assert get(reader, "write").status_code == 403
    assert get(editor, "members").json()["may_write"]
    assert not get(reader, "members").json()["may_write"]


def test_page_requires_role(reader: Browser, editor: Browser) -> None:
    assert get(editor, "editors").content == b"edited"
    assert get(reader, "editors").status_code == 403


def test_page_requires_organization_scope(reader: Browser) -> None:
    assert get(reader, "stock").status_code == 403

"""The overview of an organization, its name, leaving it, and deleting it."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

from .console_site import HARBOUR, notices_of, signed_in, sub_of, text_of

pytestmark = pytest.mark.django_db

PAGE = f"/organizations/{HARBOUR}/"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


@pytest.fixture
def owner(logto: Emulator) -> Browser:
    return signed_in(logto, "owner")


def press(browser: Browser, page: str, action: str, **data: str) -> Any:
    return browser.client.post(f"{PAGE}{page}", {"action": action, **data})


def own_organizations(browser: Browser) -> list[str]:
    """Return the names in the claims of the session."""
    return [each.name for each in browser.open("/").wsgi_request.logto.organizations]


def test_owner_renames_the_organization(logto: Emulator, owner: Browser) -> None:
    assert "The organization has been renamed." in notices_of(owner, press(owner, "", "rename", name="Quay Branch"))
    assert logto.tenant.organizations[HARBOUR].name == "Quay Branch"
    assert "Quay Branch" in text_of(owner.open(PAGE))
    assert own_organizations(owner) == ["Quay Branch"]


def test_invalid_name_stays_in_the_form(owner: Browser) -> None:
    response = press(owner, "", "rename", name="x" * 129)
    assert "at most 128 characters" in text_of(response)
    assert f'value="{"x" * 129}"' in response.content.decode()


def test_member_leaves(logto: Emulator) -> None:
    staff = signed_in(logto, "staff")
    assert "no longer see its data" in text_of(staff.open(f"{PAGE}leave"))
    assert sub_of("staff") in logto.tenant.organizations[HARBOUR].members
    response = press(staff, "leave", "leave")
    assert response["Location"] == "/organizations/"
    assert "You have left the organization." in notices_of(staff, response)
    assert sub_of("staff") not in logto.tenant.organizations[HARBOUR].members
    assert own_organizations(staff) == []
    assert staff.open(PAGE).status_code == 404


def test_last_owner_reads_why_they_cannot_leave(logto: Emulator, owner: Browser) -> None:
    response = press(owner, "leave", "leave")
    assert response.status_code == 409
    assert "The organization would have no owner." in text_of(response)
    assert sub_of("owner") in logto.tenant.organizations[HARBOUR].members


def test_owner_types_the_name_to_delete(logto: Emulator, owner: Browser) -> None:
    for typed in ("", "Hill Branch"):
        response = press(owner, "delete", "delete", confirmation=typed)
        assert response.status_code == 200
        assert HARBOUR in logto.tenant.organizations
    response = press(owner, "delete", "delete", confirmation="harbour branch")
    assert response["Location"] == "/organizations/"
    assert "The organization has been deleted." in notices_of(owner, response)
    assert HARBOUR not in logto.tenant.organizations
    assert own_organizations(owner) == []


def test_name_with_spaces_can_be_typed(logto: Emulator, owner: Browser) -> None:
    # A browser shows one space, so that is what users type.
    logto.tenant.organizations[HARBOUR].name = " Harbour  Branch "
    assert press(owner, "delete", "delete", confirmation="Harbour Branch").status_code == 302


def test_name_is_shown_as_text(logto: Emulator, owner: Browser) -> None:
    logto.tenant.organizations[HARBOUR].name = "<b>Harbour</b>"
    for page in ("", "members", "leave", "delete", "members/unknown"):
        assert "<b>Harbour" not in owner.open(f"{PAGE}{page}").content.decode()


def test_site_without_messages_says_what_was_done(owner: Browser, settings: Any) -> None:
    settings.INSTALLED_APPS = [each for each in settings.INSTALLED_APPS if each != "django.contrib.messages"]
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    processors = settings.TEMPLATES[0]["OPTIONS"]["context_processors"]
    options = {"context_processors": [each for each in processors if "messages" not in each]}
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": options}]
    response = press(owner, "", "rename", name="Quay Branch")
    assert response["Location"] == f"{PAGE}?done=renamed"
    assert "The organization has been renamed." in notices_of(owner, response)

"""The page of just-in-time members: e-mail domains, default roles and enterprise SSO connectors."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, notices_of, signed_in, text_of

pytestmark = pytest.mark.django_db

PAGE = f"/organizations/{HARBOUR}/joining"
DOMAIN = "bookstore.example"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


@pytest.fixture
def manager(logto: Emulator) -> Browser:
    return signed_in(logto, "manager")


def press(browser: Browser, action: str, **data: Any) -> Any:
    return browser.client.post(PAGE, {"action": action, **data})


def harbour(logto: Emulator) -> Any:
    return logto.tenant.organizations[HARBOUR]


def test_manager_adds_and_removes_own_domain(logto: Emulator, manager: Browser) -> None:
    assert "has been added" in notices_of(manager, press(manager, "add-domain", domain=DOMAIN.title()))
    assert harbour(logto).jit_email_domains == [DOMAIN]
    assert DOMAIN in text_of(manager.open(PAGE))
    assert "has been removed" in notices_of(manager, press(manager, "remove-domain", domain=DOMAIN))
    assert harbour(logto).jit_email_domains == []
    assert "has been removed" in notices_of(manager, press(manager, "remove-domain", domain=DOMAIN))


def test_domain_of_others_is_refused_beside_its_field(logto: Emulator, manager: Browser) -> None:
    others = ("other.example", "evil.bookstore.example", "example", "gmail.com")
    for domain in (*others, "", "@", "a b.example", "x" * 300, "a..b", "x\x00.y", "\u202e.example"):
        response = press(manager, "add-domain", domain=domain)
        assert 200 <= response.status_code < 500
        assert 'aria-invalid="true"' in response.content.decode(), domain
    assert harbour(logto).jit_email_domains == []


@pytest.mark.parametrize(("username", "status"), [("staff", 403), ("other", 404)])
def test_page_is_for_members_who_manage_joining(logto: Emulator, username: str, status: int) -> None:
    browser = signed_in(logto, username)
    assert browser.open(PAGE).status_code == status
    assert press(browser, "add-domain", domain=DOMAIN).status_code == status
    assert press(browser, "set-roles", roles=["staff"], before=[]).status_code == status
    assert (harbour(logto).jit_email_domains, harbour(logto).jit_roles) == ([], [])


# Default roles


def test_default_roles_that_may_not_be_given_stay(logto: Emulator, manager: Browser) -> None:
    logto.tenant.add_jit(HARBOUR, roles=["manager"])
    page = text_of(manager.open(PAGE))
    assert "Roles that you may not change: manager" in page
    saved = press(manager, "set-roles", roles=["staff"], before=["manager"])
    assert "have been saved" in notices_of(manager, saved)
    assert sorted(harbour(logto).jit_roles) == ["manager", "staff"]
    assert "have been saved" in notices_of(manager, press(manager, "set-roles", before=["manager", "staff"]))
    assert harbour(logto).jit_roles == ["manager"]


def test_default_role_beyond_the_grants_is_refused(logto: Emulator, manager: Browser) -> None:
    for role in ("owner", "manager", "unknown"):
        assert press(manager, "set-roles", roles=[role], before=[]).status_code != 302
    assert harbour(logto).jit_roles == []


def test_form_that_has_shown_other_roles_changes_nothing(logto: Emulator, manager: Browser) -> None:
    logto.tenant.add_jit(HARBOUR, roles=["staff"])
    response = press(manager, "set-roles", before=[])
    assert (response.status_code, "in the meantime" in text_of(response)) == (409, True)
    assert harbour(logto).jit_roles == ["staff"]


# Enterprise SSO connectors


def test_manager_links_connector_of_own_domain(logto: Emulator, manager: Browser) -> None:
    connector = logto.tenant.add_sso_connector("Bookstore ID", domains=[DOMAIN])
    assert "Bookstore ID" in text_of(manager.open(PAGE))
    assert "has been linked" in notices_of(manager, press(manager, "link-connector", connector=connector.id))
    assert harbour(logto).jit_sso_connectors == [connector.id]
    assert "has been unlinked" in notices_of(manager, press(manager, "unlink-connector", connector=connector.id))
    assert harbour(logto).jit_sso_connectors == []


def test_connector_of_others_is_neither_shown_nor_linked(logto: Emulator, manager: Browser) -> None:
    foreign = [["other.example"], [DOMAIN, "other.example"], []]
    ids = [logto.tenant.add_sso_connector(f"Secret {each}", domains=each).id for each in foreign]
    assert "Secret" not in manager.open(PAGE).content.decode()
    for connector in (*ids, "unknown000001", ""):
        assert "cannot use" in notices_of(manager, press(manager, "link-connector", connector=connector))
    assert harbour(logto).jit_sso_connectors == []


def test_other_organization_is_not_changed(logto: Emulator, manager: Browser) -> None:
    page = f"/organizations/{HILL}/joining"
    assert manager.client.post(page, {"action": "add-domain", "domain": DOMAIN}).status_code == 404
    assert logto.tenant.organizations[HILL].jit_email_domains == []

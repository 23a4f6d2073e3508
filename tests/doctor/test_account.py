"""Findings about what the account pages need of Logto."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.urls import get_resolver

from logto_auth.account.page import AccountPage
from logto_auth.doctor import account
from logto_auth.doctor.findings import errors_as_failures
from logto_auth.emulator import Application, Emulator
from logto_auth.emulator.state.message_connectors import MESSAGE_FACTORIES
from logto_auth.emulator.state.social_connectors import Connector
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant import AccountCenter, TenantDeclaration
from logto_auth.tenant.account_pages import ACCOUNT_PAGES
from tests.management_commands import Run
from tests.raw_server import RawServer

from .findings import Found, only

pytestmark = pytest.mark.django_db

LOCAL = "http://localhost:8000"
CENTER = AccountCenter.all_editable(delete_account_url="/account/delete")
DECLARED = TenantDeclaration(application="Bookstore", webhook_events=(), account_center=CENTER)
SCOPES = ("openid", "offline_access", "profile", "email", "phone", "identities", "urn:logto:scope:sessions")


EMAIL, SMS = "simple-mail-transfer-protocol", "twilio-short-message-service"


def set_connectors(logto: Emulator, *factories: str) -> None:
    connectors = [Connector(MESSAGE_FACTORIES[factory]) for factory in factories]
    logto.tenant.sign_in_experience.connector_instances = {each.id: each for each in connectors}


def delete_account(request: object) -> None:
    """The function of a site that deletes accounts."""


@pytest.fixture
def pages(fresh: Emulator, run: Run, settings: Any, application: Application) -> Emulator:
    """The Logto of a site with the account pages, which is set up as declared."""
    settings.ROOT_URLCONF = "tests.checks.urls_with_account_pages"
    settings.LOGTO_BASE_URL = LOCAL
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    settings.LOGTO_SCOPES = SCOPES
    settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.delete_account"
    settings.LOGTO_RESOURCES = ()
    settings.LOGTO_API_RESOURCE = ""
    settings.LOGTO_API_SCOPES = ()
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ""
    set_connectors(fresh, EMAIL, SMS)
    assert run("logto_setup", "--yes").code == 0
    return fresh


@pytest.fixture
def problems(found: Found) -> Callable[..., list[str]]:
    """A function that returns the findings that are not ok, except what a declaration would correct."""

    def problems(*arguments: str) -> list[str]:
        return [line for line in found(*arguments) if not line.startswith("warning declaration: The account center")]

    return problems


def test_site_that_is_set_up_has_no_problems(pages: Emulator, run: Run, found: Found) -> None:
    assert found() == []
    out = run("logto_doctor").out
    for line in (
        "ok       account-scopes       LOGTO_SCOPES has all scopes of the account pages.\n",
        "ok       account-center       The account center is on, and shows what the account pages need.\n",
        "ok       passkeys             Logto accepts passkeys from all origins of this site.\n",
        "ok       breach-list          Logto asks api.pwnedpasswords.com about each new password.",
        "ok       messages             Logto has a connector for the codes that account pages send.\n",
    ):
        assert line in out


def test_site_without_account_pages_has_no_findings(run: Run, fresh: Emulator, application: Application) -> None:
    checks = {each["check"] for each in json.loads(run("logto_doctor", "--json").out)["findings"]}
    assert checks.isdisjoint({"account-scopes", "account-center", "passkeys", "breach-list", "messages"})


def test_account_center_that_is_off_is_a_failure(pages: Emulator, found: Found) -> None:
    pages.tenant.account_center["enabled"] = False
    assert found() == [
        "failure account-center: The account center is off, so no account page works.",
        "warning declaration: The account center of all applications of the tenant differs from the declaration: "
        "enabled.",
    ]


def set_fields(logto: Emulator, **fields: str) -> None:
    logto.tenant.account_center["fields"] |= fields


def test_fields_that_are_off_are_found_with_their_pages(pages: Emulator, problems: Found) -> None:
    set_fields(pages, username="Off", mfa="ReadOnly", name="Off", avatar="Off", profile="ReadOnly")
    assert only(problems()) == (
        "warning account-center: The field username is Off, so these account pages have nothing to show: username."
    )
    set_fields(pages, username="Edit", social="Off", profile="Off")
    assert problems() == [
        "warning account-center: The fields name, avatar, profile are Off, so these account pages have nothing to "
        "show: profile.",
        "warning account-center: The field social is Off, so these account pages have nothing to show: linked, link, "
        "link-callback.",
    ]


def test_field_of_second_factors_counts_for_passkeys(pages: Emulator, problems: Found) -> None:
    del pages.tenant.account_center["fields"]["passkey"]
    assert problems() == []
    set_fields(pages, mfa="Off")
    assert [line.rpartition("show: ")[2] for line in problems()] == [
        "authenticator-app, backup-codes, factor-at-sign-in.",
        "passkeys, passkey.",
    ]


def test_missing_scopes_are_a_warning(pages: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "email", "phone")
    assert only(found()) == (
        "warning account-scopes: LOGTO_SCOPES lacks identities, urn:logto:scope:sessions. The account pages ask Logto "
        "for them once in each session, by a redirect that users do not see."
    )


def test_missing_scopes_cost_the_second_factor(pages: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "email", "phone")
    settings.LOGTO_SECOND_FACTOR, settings.LOGTO_API_RESOURCE = True, "https://shop.example/api"
    (line,) = [line for line in found() if "account-scopes" in line]
    assert line.endswith("users do not see. After that, Logto no longer knows the second factor of the sign-in.")


def test_missing_origins_for_passkeys_are_found(pages: Emulator, problems: Found) -> None:
    pages.tenant.account_center["webauthnRelatedOrigins"] = ["https://other.example", f"{LOCAL}/"]
    assert only(problems()) == (
        f"warning passkeys: {LOCAL} is not among the WebAuthn related origins, so Logto refuses passkeys that users "
        "add there."
    )
    set_fields(pages, mfa="ReadOnly", passkey="ReadOnly")
    assert problems() == []


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://*.localhost", "The origins of https://*.localhost are not known. A passkey cannot be added"),
        ("http://shop.example", "Browsers have no passkeys at http://shop.example, without encryption."),
    ],
)
def test_origins_without_passkeys_are_found(pages: Emulator, found: Found, settings: Any, url: str, text: str) -> None:
    pages.tenant.account_center["webauthnRelatedOrigins"] = [url]
    settings.ALLOWED_HOSTS = [".localhost", "shop.example"]
    assert only([line for line in found("--base-url", url) if " passkeys: " in line]).startswith(
        f"warning passkeys: {text}"
    )


def test_origins_need_a_base_url(pages: Emulator, found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    assert any(line.startswith("skipped passkeys: ") for line in found())


@pytest.mark.parametrize("editable", ["email", "phone"])
def test_missing_message_connector_is_found(pages: Emulator, problems: Found, editable: str) -> None:
    set_connectors(pages, SMS if editable == "email" else EMAIL)
    text = {
        "email": "e-mail address, but Logto has no e-mail connector",
        "phone": "phone number, but Logto has no SMS connector",
    }[editable]
    assert only(problems()) == f"warning messages: Users may change their {text}, so it cannot send them a code."
    set_fields(pages, **{editable: "ReadOnly"})
    assert problems() == []


def test_delete_account_url_without_page_is_found(pages: Emulator, problems: Found, settings: Any) -> None:
    def url(value: str | None) -> None:
        pages.tenant.account_center["deleteAccountUrl"] = value

    url(f"{LOCAL}/account/leave?from=logto")
    assert only(problems()) == (
        "warning account-center: The account pages of Logto send users who delete their account to "
        f"{LOCAL}/account/leave?from=logto, where this site has no page."
    )
    for elsewhere in (None, "https://other.example/leave", f"{LOCAL}/account/delete?from=logto#x"):
        url(elsewhere)
        assert problems() == []
    # The page exists only with this setting.
    settings.LOGTO_DELETE_ACCOUNT = ""
    assert any(line.startswith("warning account-center: ") for line in problems())


def test_breach_list_depends_on_the_policy(pages: Emulator, run: Run) -> None:
    rejects = {"pwned": False, "repetitionAndSequence": True, "userInfo": True, "words": []}
    pages.tenant.sign_in_experience.settings["passwordPolicy"] = {"rejects": rejects}
    text = "ok       breach-list          Logto accepts passwords without asking whether they have been leaked.\n"
    assert text in run("logto_doctor").out


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered 404, expected 200 and the settings"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull", "JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "This could not be examined: KeyError in account.py"),
    ],
)
def test_unexpected_answer_is_a_failure(settings: Any, answer: bytes, text: str) -> None:
    settings.ROOT_URLCONF = "tests.checks.urls_with_account_pages"
    settings.LOGTO_SCOPES = SCOPES
    with RawServer(lambda connection: connection.sendall(answer)) as server:
        http = HTTPClient(connect_seconds=1, total_seconds=1)
        examination = account.examine(http, Addresses(f"{server.url}/oidc"), [])
        scopes, finding = errors_as_failures(examination, "account-center")
    assert (scopes.level, finding.level, finding.check) == ("ok", "failure", "account-center")
    assert text in finding.message


# The table of what pages need


def test_table_has_all_pages_with_what_they_declare(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.checks.urls_with_account_pages"
    resolver: Any = get_resolver()
    patterns = resolver.namespace_dict["logto_account"][1].url_patterns
    views: Mapping[str, type[AccountPage]] = {each.name: each.callback.view_class for each in patterns}
    assert views.keys() == ACCOUNT_PAGES.keys()
    for name, view in views.items():
        assert set(view.scopes) <= set(ACCOUNT_PAGES[name].scopes), name
        if view.field:
            assert view.field in ACCOUNT_PAGES[name].fields, name

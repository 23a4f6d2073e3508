"""Invitation links: a page that asks first, and a sign-in with the one-time token of the link."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import include, path

from logto_auth.emulator import Emulator, VisitFailed
from logto_auth.models import LogtoIdentity, OrganizationMembership
from logto_auth.testing import Browser
from logto_auth.views import AcceptInvitationView
from tests.rights import HILL, ask_for_rights, set_up
from tests.support import Witness, pending_cookies, query_of, signed_in_user_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [
    path("accept-invitation", AcceptInvitationView.as_view()),
    path("", include("logto_auth.urls")),
    path("", include("bookstore.urls")),
]
LINK = {"token": "onetimetoken00000000000000000001", "email": "new@example.com"}


@pytest.fixture
def tenant(logto: Emulator, settings: Any) -> Any:
    """Return the tenant with the users and organizations of `tests.rights`."""
    set_up(logto)
    ask_for_rights(settings)
    return logto.tenant


def link_to(query: dict[str, Any]) -> str:
    return f"/accept-invitation?{urlencode(query)}"


def invited(tenant: Any, email: str, **options: Any) -> str:
    """Return the link of an invitation to the hill."""
    token = tenant.add_one_time_token(email, jit_organization_ids=[HILL]).token
    return link_to({"token": token, "email": email, **options})


def press(browser: Browser, link: str, **headers: str) -> Any:
    """Return the response to the button of the page."""
    return browser.client.post(link, headers=headers)


def accept(browser: Browser, link: str, **options: bool) -> Any:
    url = press(browser, link)["Location"]
    new_user = {"username": "newcomer", "password": "newcomer-password"}
    return browser.open(browser.logto.sign_in_by_link(url, **new_user, **options))


def test_invitation_page_is_opt_in(client: Client, settings: Any) -> None:
    settings.ROOT_URLCONF = "bookstore.urls"
    assert client.get(link_to(LINK)).status_code == 404


def test_invitation_makes_new_user_a_member(tenant: Any, browser: Browser) -> None:
    tenant.add_jit(HILL, roles=["staff"])
    assert (
        accept(browser, invited(tenant, "new@bookstore.example", next="/account/claims"))["Location"]
        == "/account/claims"
    )
    membership = OrganizationMembership.objects.get()
    assert (membership.organization.logto_id, membership.roles) == (HILL, ["staff"])


def test_accepted_invitation_replaces_signed_in_user(tenant: Any, browser: Browser) -> None:
    tenant.update_user("editor000001", primary_email="editor@bookstore.example")
    browser.sign_in("customer")
    key = signed_in_user_key(browser.client)
    link = invited(tenant, "editor@bookstore.example")
    assert accept(browser, link, switch_account=True)["Location"] == "/"
    assert signed_in_user_key(browser.client) not in (None, key)
    assert LogtoIdentity.objects.get(user_id=signed_in_user_key(browser.client)).sub == "editor000001"


def test_invitation_works_once(tenant: Any, logto: Emulator) -> None:
    link = invited(tenant, "new@bookstore.example")
    accept(Browser(logto), link)
    with pytest.raises(VisitFailed):
        accept(Browser(logto), link)
    assert LogtoIdentity.objects.count() == 1


def test_invitation_with_other_email_is_refused(tenant: Any, browser: Browser) -> None:
    link = invited(tenant, "new@bookstore.example")
    with pytest.raises(VisitFailed):
        accept(browser, link.replace("new%40", "other%40"))
    assert LogtoIdentity.objects.count() == 0


# A link alone changes nothing


def test_opened_link_names_both_users_and_changes_nothing(tenant: Any, browser: Browser, logto: Emulator) -> None:
    browser.sign_in("customer")
    before, cookies = signed_in_user_key(browser.client), pending_cookies(browser.client)
    logto.requests.clear()
    response = browser.client.get(link_to(LINK), headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 200
    text = unescape(re.sub(r"<[^>]+>", "", response.content.decode()))
    assert "This invitation is for new@example.com." in text
    assert f"You are signed in as {response.wsgi_request.user}." in text
    assert (signed_in_user_key(browser.client), pending_cookies(browser.client)) == (before, cookies)
    assert len(logto.requests) == 0


def test_page_without_user_names_invited_address_only(client: Client, db: None) -> None:
    page = client.get(link_to({**LINK, "email": "<i>@example.com"})).content.decode()
    assert "&lt;i&gt;@example.com" in page
    assert "You are signed in" not in page


def test_form_needs_csrf_token_without_the_middleware(settings: Any, logto: Emulator) -> None:
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Csrf" not in each]
    client = Client(enforce_csrf_checks=True)
    assert client.post(link_to(LINK)).status_code == 403
    page = client.get(link_to(LINK)).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]
    assert client.post(link_to(LINK), {"csrfmiddlewaretoken": token}).status_code == 302


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    response = getattr(client, method)(link_to(LINK))
    assert response.status_code == 405
    assert not response.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
)
def test_script_and_frame_cannot_accept(browser: Browser, witness: Witness, headers: dict[str, str]) -> None:
    witness.sees_refused(lambda: press(browser, link_to(LINK), **headers), "not_a_navigation", 403)


# The parameters of the link


def test_other_parameters_of_link_are_ignored(browser: Browser) -> None:
    more = {
        "organization_id": "x",
        "prompt": "none",
        "resource": "x",
        "scope": "admin",
        "redirect_uri": "https://evil.example/",
        "state": "mine",
        "direct_sign_in": "social:evil",
    }
    plain, loaded = (query_of(press(browser, link_to(query))["Location"]) for query in (LINK, {**LINK, **more}))
    assert plain.keys() == loaded.keys()
    for name in plain.keys() - {"state", "nonce", "code_challenge"}:
        assert plain[name] == loaded[name]
    assert (plain["one_time_token"], plain["login_hint"]) == (LINK["token"], LINK["email"])
    assert (plain["redirect_uri"], plain["prompt"]) == ("http://testserver/callback", "login consent")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"token": ""}, id="no-token"),
        pytest.param({"token": LINK["token"] + "\n"}, id="newline-after-the-token"),
        pytest.param({"token": LINK["token"] + "\x00"}, id="nul"),
        pytest.param({"token": LINK["token"] * 30}, id="long"),
        pytest.param({"token": "\u202e" + LINK["token"]}, id="right-to-left"),
        pytest.param({"email": ""}, id="no-address"),
        pytest.param({"email": "new"}, id="no-at"),
        pytest.param({"email": "new@example.com\r\nX: y"}, id="crlf"),
        pytest.param({"email": "Your account is locked. Call us @ 0800.1234"}, id="message"),
        pytest.param({"email": "x" * 600 + "@example.com"}, id="long-address"),
    ],
)
def test_invalid_link_leaks_no_token(browser: Browser, witness: Witness, changes: dict[str, str], method: str) -> None:
    send = getattr(browser.client, method)
    response = witness.sees_refused(lambda: send(link_to({**LINK, **changes})), "invalid_option", 400)
    assert LINK["token"] not in response.line
    assert LINK["token"] not in response.content.decode()
    assert LINK["token"] not in str(browser.client.cookies)


@pytest.mark.parametrize("next_url", ["//evil.example", "/sign-out"])
def test_link_leads_to_this_site_only(tenant: Any, browser: Browser, next_url: str) -> None:
    assert accept(browser, invited(tenant, "new@example.com", next=next_url))["Location"] == "/"


def test_token_of_link_is_not_leaked(browser: Browser, caplog: Any) -> None:
    page = browser.client.get(link_to(LINK))
    assert page["Cache-Control"] == "no-store"
    assert page["Referrer-Policy"] in ("no-referrer", "same-origin")
    response = press(browser, link_to(LINK))
    assert LINK["token"] in response["Location"]
    assert LINK["token"] not in caplog.text
    assert LINK["token"] not in str(response.cookies)

"""The page of an invitation link: who accepts, and what a link alone cannot do."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.encryption import decrypt, encrypt
from logto_auth.models import OrganizationMembership
from logto_auth.organizations.console.pages.invitation_link import COOKIE, PURPOSE
from logto_auth.testing import Browser
from tests.support import query_of, signed_in_user_key

from .console_site import HARBOUR, signed_in, sub_of, text_of
from .invitation_links import STRANGER, invite, is_member

pytestmark = pytest.mark.django_db

API = "https://bookstore.example/api"
OVERVIEW = f"/organizations/{HARBOUR}/"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


def come_back(browser: Browser, callback: str) -> Any:
    """Return the response of the page to which the callback of a sign-in leads."""
    return browser.open(browser.open(callback)["Location"])


def sign_in_by(browser: Browser, link: str, username: str) -> Any:
    """Press the button, sign in at Logto as this user, and return the response of the page afterwards."""
    return come_back(browser, browser.logto.sign_in(browser.client.post(link)["Location"], username))


# Who accepts


def test_new_user_registers_and_joins(logto: Emulator, browser: Browser) -> None:
    link = invite(logto, "new@bookstore.example")
    assert "Invitation to Harbour Branch" in text_of(browser.open(link))
    url = browser.client.post(link)["Location"]
    query = query_of(url)
    assert (query["login_hint"], query["prompt"]) == ("new@bookstore.example", "login consent")
    assert query["one_time_token"]
    callback = browser.logto.sign_in_by_link(url, username="newcomer", password="newcomer-password")
    response = come_back(browser, callback)
    assert response["Location"] == OVERVIEW
    assert [each.id for each in response.wsgi_request.logto.organizations] == [HARBOUR]
    assert OrganizationMembership.objects.get().roles == ["staff"]


def test_link_for_existing_user_has_no_token(logto: Emulator, browser: Browser) -> None:
    link = invite(logto, STRANGER.upper().replace("STRANGER", "Stranger"))
    query = query_of(browser.client.post(link)["Location"])
    assert "one_time_token" not in query
    assert "login" in query["prompt"]


def test_new_user_of_an_enterprise_connector_registers_by_it(logto: Emulator, browser: Browser) -> None:
    logto.tenant.add_sso_connector("Quay", domains=["Quay.example"])
    logto.tenant.sign_in_experience.settings["singleSignOnEnabled"] = True
    link = invite(logto, "new@QUAY.example")
    assert "one_time_token" not in query_of(browser.client.post(link)["Location"])
    assert not logto.tenant.one_time_tokens
    # The connector has no effect then.
    logto.tenant.sign_in_experience.settings["singleSignOnEnabled"] = False
    assert "one_time_token" in query_of(browser.client.post(link)["Location"])


def test_user_with_invited_address_in_other_case_joins_after_sign_in(logto: Emulator, browser: Browser) -> None:
    link = invite(logto, "Stranger@Bookstore.Example")
    assert sign_in_by(browser, link, "stranger")["Location"] == OVERVIEW
    assert logto.tenant.organizations[HARBOUR].members[sub_of("stranger")] == ["staff"]


def test_signed_in_user_joins_without_going_to_logto(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    assert f"This invitation is for {STRANGER}" in text_of(browser.open(link))
    assert not is_member(logto)
    response = browser.client.post(link)
    assert response["Location"] == OVERVIEW
    assert browser.client.get("/").wsgi_request.logto.organizations[0].roles == ("staff",)


def test_invited_user_replaces_other_signed_in_user(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "staff")
    page = text_of(browser.open(link))
    assert "who has another e-mail address" in page
    assert "Sign in as another user" in page
    key = signed_in_user_key(browser.client)
    assert sign_in_by(browser, link, "stranger")["Location"] == OVERVIEW
    assert signed_in_user_key(browser.client) not in (None, key)
    assert is_member(logto)


def test_user_who_returns_with_other_address_does_not_join(logto: Emulator, browser: Browser) -> None:
    link = invite(logto)
    response = sign_in_by(browser, link, "other")
    assert response.status_code == 200
    assert "another e-mail address than the invited one" in text_of(response)
    assert not is_member(logto, "other")
    assert browser.client.cookies[COOKIE].value == ""


def test_user_whose_address_has_changed_at_logto_signs_in_again(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    logto.tenant.update_user(sub_of("stranger"), primary_email="married@bookstore.example")
    assert "/oidc/auth" in browser.client.post(link)["Location"]
    assert not is_member(logto)


def test_accepted_link_is_accepted_again_by_the_same_user_only(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    assert browser.client.post(link)["Location"] == OVERVIEW
    assert browser.client.post(link)["Location"] == OVERVIEW
    assert signed_in(logto, "other").client.post(link).status_code == 409
    assert not is_member(logto, "other")


# A link alone changes nothing


def press_and_sign_in(logto: Emulator, browser: Browser, link: str, username: str = "stranger") -> None:
    """Press the button and sign in, without opening the page again."""
    browser.open(browser.logto.sign_in(browser.client.post(link)["Location"], username))


def test_opened_link_does_not_join(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    response = browser.client.get(link, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})
    assert response.status_code == 200
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store", "same-origin")
    assert response["X-Frame-Options"] == "DENY"
    assert not is_member(logto)


def test_only_a_navigation_finishes_acceptance(logto: Emulator, browser: Browser) -> None:
    link = invite(logto)
    press_and_sign_in(logto, browser, link)
    cookie = browser.client.cookies[COOKIE].value
    for method, headers in (
        ("head", {}),
        ("get", {"Sec-Purpose": "prefetch"}),
        ("get", {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}),
        ("get", {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
        ("get", {"HX-Request": "true"}),
        ("get", {"X-Turbo-Request-Id": "1"}),
    ):
        browser.client.cookies[COOKIE] = cookie
        getattr(browser.client, method)(link, headers=headers)
        assert not is_member(logto), headers
    browser.client.cookies[COOKIE] = cookie
    assert browser.open(link).status_code == 302
    assert is_member(logto)


def test_page_of_another_invitation_does_not_stop_acceptance(logto: Emulator, browser: Browser) -> None:
    other, link = invite(logto, "other@bookstore.example"), invite(logto)
    press_and_sign_in(logto, browser, link)
    assert browser.open(other).status_code == 200
    assert browser.open(link)["Location"] == OVERVIEW


def test_button_of_another_visitor_does_not_join_signed_in_user(logto: Emulator) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    visitor = Client()
    visitor.post(link)
    browser.client.cookies[COOKIE] = visitor.cookies[COOKIE].value
    assert browser.open(link).status_code == 200
    assert not is_member(logto)


def test_other_cookie_does_not_join(logto: Emulator, browser: Browser) -> None:
    link = invite(logto)
    press_and_sign_in(logto, browser, link)
    content = decrypt(browser.client.cookies[COOKIE].value, purpose=PURPOSE) or {}
    for cookie in (
        "junk",
        encrypt({**content, "invitation": "other00000001"}, purpose=PURPOSE),
        encrypt({**content, "at": 1}, purpose=PURPOSE),
        encrypt(content, purpose="sign-in"),
    ):
        browser.client.cookies[COOKIE] = cookie
        assert browser.open(link).status_code == 200
    assert not is_member(logto)


def test_button_needs_csrf_token(logto: Emulator, settings: Any) -> None:
    link = invite(logto)
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Csrf" not in each]
    client = Client(enforce_csrf_checks=True)
    assert client.post(link).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(link).content.decode())
    assert token
    assert client.post(link, {"csrfmiddlewaretoken": token[1]}).status_code == 302


def test_script_and_frame_cannot_press_button(logto: Emulator, browser: Browser) -> None:
    link = invite(logto)
    response = browser.client.post(link, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"})
    assert response.status_code == 403
    assert COOKIE not in response.cookies


# Links that are not, or no longer, valid


@pytest.mark.parametrize("method", ["get", "post"])
def test_text_that_is_not_sealed_costs_no_call(logto: Emulator, client: Client, method: str) -> None:
    logto.requests.clear()
    other = encrypt({"invitation": "x", "email": STRANGER}, purpose=PURPOSE)
    for sealed in ("junk", "x" * 20_000, quote("\x00\n\u202e"), quote("é" * 200), other):
        response = getattr(client, method)(f"/organizations/invitation/{sealed}")
        assert response.status_code == 404
        assert "This invitation is not valid" in text_of(response)
    assert len(logto.requests) == 0


def revoke(logto: Emulator) -> None:
    next(iter(logto.tenant.invitations.values())).status = "Revoked"


def expire(logto: Emulator) -> None:
    next(iter(logto.tenant.invitations.values())).expires_at = 1


def delete_invitation(logto: Emulator) -> None:
    logto.tenant.invitations.clear()


def delete_organization(logto: Emulator) -> None:
    logto.tenant.delete_organization(HARBOUR)


ENDINGS = [
    pytest.param(revoke, 409, "no longer open", id="revoked"),
    pytest.param(expire, 409, "no longer open", id="expired"),
    pytest.param(delete_invitation, 404, "not valid", id="deleted"),
    pytest.param(delete_organization, 404, "not valid", id="organization-deleted"),
]


@pytest.mark.parametrize(("end", "status", "text"), ENDINGS)
def test_ended_invitation_is_refused(logto: Emulator, end: Any, status: int, text: str) -> None:
    link, browser = invite(logto), signed_in(logto, "stranger")
    end(logto)
    for response in (browser.open(link), browser.client.post(link)):
        assert (response.status_code, text in text_of(response)) == (status, True)
    assert not logto.tenant.one_time_tokens


def test_invitation_that_ends_during_sign_in_is_refused(logto: Emulator, browser: Browser) -> None:
    link = invite(logto)
    press_and_sign_in(logto, browser, link)
    expire(logto)
    response = browser.open(link)
    assert (response.status_code, "no longer open" in text_of(response)) == (409, True)
    assert not is_member(logto)


def test_logto_down_is_a_page(logto: Emulator, client: Client) -> None:
    link = invite(logto)
    logto.faults.http["management_api"] = HttpFault(drop=True)
    for response in (client.get(link), client.post(link)):
        assert response.status_code == 503
        assert "Logto does not respond" in text_of(response)


def test_log_has_neither_link_nor_address(logto: Emulator, caplog: Any) -> None:
    link, stranger = invite(logto), signed_in(logto, "stranger")
    caplog.set_level("INFO")
    logto.faults.http["management_api"] = HttpFault(status=500, body="{}", times=2)
    assert [stranger.open(link).status_code, stranger.client.post(link).status_code] == [502, 302]
    logto.tenant.delete_organization(HARBOUR)
    assert stranger.open(link).status_code == 404
    assert "invitation_invalid" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text
    assert STRANGER not in caplog.text


def test_page_at_other_host_moves_to_base_url(logto: Emulator, client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.LOGTO_BASE_URL = ["*"], "http://testserver"
    link = invite(logto)
    assert (
        client.get(link, headers={"Host": "other.example"})["Location"]
        == f"http://testserver{quote(link)}?redirected=1"
    )


def test_gained_permissions_of_api_need_one_silent_round_trip(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_RESOURCES, settings.LOGTO_SCOPES = (API,), (*settings.LOGTO_SCOPES, "read:books")
    logto.tenant.add_resource(API, scopes=["read:books"])
    logto.tenant.add_organization_role("reader", resource_scopes={API: ["read:books"]})
    link, browser = invite(logto, roles=["reader"]), signed_in(logto, "stranger")
    assert query_of(browser.client.post(link)["Location"])["prompt"] == "none"
    assert is_member(logto)

"""The page of the places where the user is signed in."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from logto_auth.account.signed_in import signed_in_places
from logto_auth.clients import oidc_client
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderError
from logto_auth.models import LogtoSession
from logto_auth.oidc.secrets import Secret
from logto_auth.testing import Browser

from .conftest import SESSIONS_SCOPE, Reader, text_of
from .logto_calls import calls_of

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"


@pytest.fixture(autouse=True)
def sids(account_site: Emulator, settings: Any) -> None:
    """Let Logto put the `sid` into ID tokens, as for an application with a back-channel logout."""
    application = account_site.tenant.applications[settings.LOGTO_APP_ID]
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = True


def another_browser(reader: Reader, user_agent: str = PHONE) -> Browser:
    """Return another browser in which the same user is signed in."""
    browser = Browser(reader.logto, Client(headers={"user-agent": user_agent}))
    assert browser.sign_in(reader.user.username).status_code == 302
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/").text != "Hello AnonymousUser"


def keys_in(response: Any) -> list[str]:
    return [place.key for place in response.context["places"] if not place.is_current]


def test_unverified_user_sees_sessions_of_site(reader: Reader) -> None:
    another_browser(reader)
    reader.logto.requests.clear()
    page = reader.get("sessions")
    assert "Safari on iPhone" in page.text
    assert "This browser" in page.text
    assert 'href="/account/sessions?at=logto"' in page.text
    assert calls_of(reader.logto) == []


def test_link_to_sessions_at_logto_leads_to_verification(reader: Reader) -> None:
    response = reader.get("sessions", at="logto")
    assert response["Location"] == "/account/verify?next=/account/sessions"
    reader.verify()
    assert reader.get("sessions", at="logto")["Location"] == "/account/sessions"


def test_missing_scope_is_requested_once(reader_of: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in settings.LOGTO_SCOPES if scope != SESSIONS_SCOPE]
    reader = reader_of()
    assert "prompt=none" in reader.get("sessions", at="logto")["Location"]
    page = reader.get("sessions", at="logto", scopes_requested="1")
    assert page.status_code == 403
    # The page itself needs no scope.
    assert reader.get("sessions").status_code == 200


def test_verified_user_sees_one_line_for_each_browser(reader: Reader) -> None:
    another_browser(reader)
    reader.verify()
    reader.logto.requests.clear()
    page = reader.get("sessions")
    places = page.context["places"]
    assert [(place.is_current, place.is_here, place.is_at_logto) for place in places] == [
        (True, True, True),
        (False, True, True),
    ]
    assert calls_of(reader.logto) == ["/api/my-account/sessions"]


def test_session_of_other_site_is_listed(reader: Reader) -> None:
    other = another_browser(reader)
    LogtoSession.objects.exclude(pk=reader.request.session["_logto_session"]).end()
    reader.verify()
    page = reader.get("sessions")
    assert [(place.is_here, place.is_at_logto) for place in page.context["places"][1:]] == [(False, True)]
    assert "Other sites only" in page.text
    assert not is_signed_in(other)


def test_ended_session_is_ended_here_and_at_logto(reader: Reader) -> None:
    other = another_browser(reader)
    refresh_token = LogtoSession.objects.order_by("-started_at")[0].tokens["refresh_token"]
    reader.verify()
    (key,) = keys_in(reader.get("sessions"))
    page = reader.client.post("/account/sessions", {"action": "end", "session": key}, follow=True)
    assert "The session has ended." in text_of(page)
    assert not is_signed_in(other)
    assert is_signed_in(reader.browser)
    with pytest.raises(ProviderError, match="invalid_grant"):
        oidc_client().refresh(Secret(refresh_token), claims={})
    with pytest.raises(AssertionError, match="login_required"):
        _ = other.sign_in(prompt="none").url


def test_browser_without_sid_is_two_lines_unless_current(reader: Reader) -> None:
    another_browser(reader)
    LogtoSession.objects.update(sid="")
    reader.verify()
    places = reader.get("sessions").context["places"]
    assert [(place.is_current, place.is_here, place.is_at_logto) for place in places] == [
        (True, True, True),
        (False, True, False),
        (False, False, True),
    ]


def test_unverified_user_ends_session_of_site(reader: Reader) -> None:
    other = another_browser(reader)
    (key,) = keys_in(reader.get("sessions"))
    assert key.startswith("here:")
    page = reader.client.post("/account/sessions", {"action": "end", "session": key}, follow=True)
    assert "That browser may still be signed in at Logto." in text_of(page)
    assert not is_signed_in(other)


@pytest.mark.parametrize(("permission", "shows_logto"), [("ReadOnly", True), ("Off", False)])
def test_session_is_ended_here_if_logto_does_not_let_users_end_sessions(
    reader: Reader, permission: str, shows_logto: bool
) -> None:
    other = another_browser(reader)
    reader.verify()
    reader.logto.tenant.enable_account_center(session=permission)
    cache.clear()
    page = reader.get("sessions")
    assert page.context["shows_logto"] is shows_logto
    (key,) = keys_in(page)
    page = reader.client.post("/account/sessions", {"action": "end", "session": key}, follow=True)
    assert "That browser may still be signed in at Logto." in text_of(page)
    assert not is_signed_in(other)


def test_session_that_is_gone_is_reported(reader: Reader) -> None:
    another_browser(reader)
    (key,) = keys_in(reader.get("sessions"))
    reader.post("sessions", "end", session=key)
    page = reader.client.post("/account/sessions", {"action": "end", "session": key}, follow=True)
    assert "This session has already ended." in text_of(page)


def test_current_session_is_not_ended(reader: Reader) -> None:
    reader.verify()
    (place,) = reader.get("sessions").context["places"]
    reader.post("sessions", "end", session=place.key)
    assert is_signed_in(reader.browser)


@pytest.mark.parametrize("is_verified", [False, True])
def test_session_of_other_user_is_not_ended(reader: Reader, reader_of: Any, is_verified: bool) -> None:
    victim = reader_of("victim")
    victim.verify()
    (place,) = victim.get("sessions").context["places"]
    keys = [place.key, f"here:{place.rows[0].pk}"]
    if is_verified:
        reader.verify()
    reader.logto.requests.clear()
    for key in keys:
        reader.post("sessions", "end", session=key)
    assert is_signed_in(victim.browser)
    assert victim.get("sessions").context["places"][0].is_at_logto
    assert [request for request in reader.logto.requests if request.method == "DELETE"] == []


@pytest.mark.parametrize("key", ["", "here:", "here:1", "../grants", "x" * 5000, "\ufffe", "here:' OR 1=1", "\0"])
def test_odd_key_ends_nothing(reader: Reader, key: str) -> None:
    other = another_browser(reader)
    reader.verify()
    assert reader.post("sessions", "end", session=key).status_code == 302
    assert is_signed_in(other)


def test_all_others_are_ended(reader: Reader) -> None:
    browsers = [another_browser(reader), another_browser(reader)]
    reader.verify()
    page = reader.client.post("/account/sessions", {"action": "end-others"}, follow=True)
    assert "2 other sessions on this site have ended. 2 other sessions at Logto have ended." in text_of(page)
    assert not any(map(is_signed_in, browsers))
    assert is_signed_in(reader.browser)


def test_page_works_while_logto_is_down(reader: Reader) -> None:
    other = another_browser(reader)
    reader.verify()
    reader.logto.faults.http["account_api"] = HttpFault(drop=True)
    page = reader.get("sessions")
    assert page.status_code == 200
    assert "Safari on iPhone" in page.text
    (key,) = keys_in(page)
    reader.post("sessions", "end", session=key)
    assert not is_signed_in(other)


def test_page_shows_sessions_of_site_without_account_center(reader: Reader) -> None:
    another_browser(reader)
    reader.logto.tenant.account_center["enabled"] = False
    page = reader.get("sessions")
    assert "Safari on iPhone" in page.text
    assert "?at=logto" not in page.text


def test_expired_record_leads_to_verification(reader: Reader) -> None:
    another_browser(reader)
    reader.verify()
    (key,) = keys_in(reader.get("sessions"))
    # Logto no longer knows the record, and the site does not know that yet.
    reader.logto.verifications.records.clear()
    response = reader.post("sessions", "end", session=key)
    assert response["Location"] == "/account/verify?next=/account/sessions"


def test_form_without_csrf_token_ends_nothing(reader: Reader) -> None:
    other = another_browser(reader)
    (key,) = keys_in(reader.get("sessions"))
    reader.client.handler.enforce_csrf_checks = True
    assert reader.post("sessions", "end", session=key).status_code == 403
    assert reader.post("sessions", "end-others").status_code == 403
    assert is_signed_in(other)


def test_user_agent_is_escaped(reader: Reader) -> None:
    another_browser(reader, "<script>alert(1)</script>")
    assert "<script>alert" not in reader.get("sessions").text


@pytest.mark.parametrize(
    "session",
    [
        {},
        {"payload": None},
        {"payload": {"uid": 1}},
        {"payload": {"uid": "u", "authorizations": []}},
        {"payload": {"uid": "u", "loginTs": "x"}, "lastSubmission": [], "isCurrent": "yes"},
        {"payload": {"uid": "u", "loginTs": 10**20}, "lastSubmission": {"signInContext": {"ip": 1, "userAgent": None}}},
    ],
)
def test_odd_sessions_of_logto_are_shown_or_ignored(session: Any) -> None:
    places = signed_in_places([], [session], current_id=None)
    assert [place.name for place in places] in ([], ["Unknown browser"])
    assert not any(place.is_current for place in places)

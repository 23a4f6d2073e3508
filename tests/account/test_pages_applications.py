"""The page of applications that have access to the account."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache

from logto_auth.account.applications import connected_applications
from logto_auth.emulator.state.sessions import Grant

from .conftest import SESSIONS_SCOPE, Reader, text_of
from .logto_calls import calls_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def verified(reader: Reader) -> Reader:
    """Return a user who has just proved who they are."""
    reader.verify()
    return reader


def grant(reader: Reader, id: str, *, name: str = "Reading list", is_third_party: bool = True, **scopes: Any) -> Grant:
    """Let the user have given access to an application."""
    applications = reader.logto.tenant.applications.values()
    application = next((each for each in applications if each.name == name), None)
    if application is None:
        application = reader.logto.tenant.add_application(name=name, is_third_party=is_third_party)
    now = int(time.time())
    made = Grant(
        id=id,
        account_id=reader.user.id,
        client_id=application.id,
        created_at=now,
        expires_at=now + 3600,
        **(scopes or {"oidc_scopes": ["openid", "profile", "offline_access"]}),
    )
    reader.logto.instances.grants[id] = made
    return made


def grants_of(reader: Reader) -> set[str]:
    return {id for id, each in reader.logto.instances.grants.items() if each.account_id == reader.user.id}


def test_unverified_user_is_sent_to_verification(reader: Reader) -> None:
    assert reader.get("applications")["Location"] == "/account/verify?next=/account/applications"
    response = reader.post("applications", "revoke", application="x")
    assert response["Location"] == "/account/verify?next=/account/applications"


def test_missing_scope_is_requested_once(reader_of: Any, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in settings.LOGTO_SCOPES if scope != SESSIONS_SCOPE]
    reader = reader_of()
    assert "prompt=none" in reader.get("applications")["Location"]
    page = reader.get("applications", scopes_requested="1")
    assert page.status_code == 403
    assert "Account settings are not available" in page.text


def test_applications_are_shown_with_their_permissions(verified: Reader) -> None:
    assert "No application has access to your account." in verified.get("applications").text
    grant(verified, "g1")
    grant(verified, "g2", oidc_scopes=["openid", "email"], resource_scopes={"https://api.example": ["read:books"]})
    grant(verified, "g3", name="Own shop", is_third_party=False)
    verified.logto.requests.clear()
    page = verified.get("applications")
    assert calls_of(verified.logto) == ["/api/my-account/grants"]
    (application,) = page.context["applications"]
    assert application.name == "Reading list"
    assert application.permissions == (
        "Know your user ID",
        "See your name, username and picture",
        "See your e-mail address",
        "Keep access while you are not using it",
    )
    assert application.api_scopes == ("read:books",)
    assert "<code>read:books</code>" in page.text


def test_access_is_removed(verified: Reader) -> None:
    first = grant(verified, "g1")
    grant(verified, "g2")
    grant(verified, "g3", name="Other")
    form = {"action": "revoke", "application": first.client_id}
    page = verified.client.post("/account/applications", form, follow=True)
    assert "no longer has access" in text_of(page)
    assert {"g1", "g2"}.isdisjoint(grants_of(verified))
    assert "g3" in grants_of(verified)
    # The form again.
    assert verified.client.post("/account/applications", form).status_code == 302


def test_access_to_other_user_is_not_removed(verified: Reader, reader_of: Any) -> None:
    other = reader_of("other")
    theirs = grant(other, "g1")
    for id in (theirs.client_id, "g1", "", "../sessions", "x" * 5000):
        assert verified.post("applications", "revoke", application=id).status_code == 302
    assert "g1" in grants_of(other)


def test_own_application_is_not_revoked(verified: Reader, settings: Any) -> None:
    before = grants_of(verified)
    verified.post("applications", "revoke", application=settings.LOGTO_APP_ID)
    assert grants_of(verified) == before
    assert verified.get().status_code == 200


def test_read_only_field_has_no_buttons(verified: Reader) -> None:
    made = grant(verified, "g1")
    verified.logto.tenant.enable_account_center(session="ReadOnly")
    cache.clear()
    page = verified.get("applications")
    assert "Reading list" in page.text
    assert "Remove access" not in page.text
    assert verified.post("applications", "revoke", application=made.client_id).status_code == 403
    assert "g1" in grants_of(verified)


def test_form_needs_csrf_token(verified: Reader) -> None:
    made = grant(verified, "g1")
    verified.client.handler.enforce_csrf_checks = True
    assert verified.post("applications", "revoke", application=made.client_id).status_code == 403
    assert "g1" in grants_of(verified)


def test_name_is_escaped(verified: Reader) -> None:
    grant(verified, "g1", name="<img src=x onerror=alert(1)>", oidc_scopes=["<b>"])
    page = verified.get("applications").text
    assert "<img" not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"id": "g", "application": None},
        {"id": "g", "application": {"id": 1}},
        {"id": "g", "application": {"id": "a"}, "payload": []},
        {"id": "g", "application": {"id": "a"}, "payload": {"openid": "x", "resources": [], "iat": "y"}},
        {"id": "g", "application": {"id": "a"}, "payload": {"openid": {"scope": 1}, "resources": {"r": None}}},
    ],
)
def test_odd_grants_are_shown_or_ignored(odd: Any) -> None:
    assert [each.permissions for each in connected_applications([odd])] in ([], [()])

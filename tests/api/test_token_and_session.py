"""A request with the session of one user and the token of another: only one of them counts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age

from . import attacked_urls
from .attackers import API, Door, TokenMaker

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(apis: None, browser: Browser, logto: Emulator, settings: Any) -> Any:
    """The account of a signed-in user with all rights."""
    settings.LOGTO_RESOURCES = [API]
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "roles",
        "urn:logto:scope:organizations",
        "read:books",
        "write:books",
    ]
    logto.tenant.add_resource(API, scopes=["read:books", "write:books"])
    logto.tenant.add_role("admin", scopes={API: ["read:books", "write:books"]})
    logto.tenant.add_organization("Harbour", id="harbour00001")
    user = logto.tenant.add_user(username="admin", roles=["admin"])
    logto.tenant.add_member("harbour00001", user.id)
    browser.sign_in("admin", prompt="login")
    return LogtoIdentity.objects.get(sub=user.id).user


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_token_identifies_caller_despite_session(
    doors: list[Door], admin: Any, browser: Browser, token: TokenMaker, caller: Any
) -> None:
    for door in doors:
        seen = door.sees_served(token(scope="read:books"), client=browser.client)
        assert (seen["user"], seen["sub"], seen["scopes"]) == (str(caller.pk), token.sub, ["read:books"])
        assert seen["organization"] is None


@pytest.mark.parametrize("state", ["ended", "unconfirmed"])
@pytest.mark.parametrize("path", ["/plain", "/plain-async", "/drf"])
def test_token_is_accepted_beside_session_that_is_not(
    admin: Any, browser: Browser, token: TokenMaker, caller: Any, path: str, state: str
) -> None:
    if state == "ended":
        LogtoSession.objects.all().end()
    else:
        browser.client.logout()
        browser.client.force_login(admin, backend="logto_auth.backends.LogtoBackend")
        age(browser)
    headers = {**bearer(token(scope="read:books")), "Accept": "application/json"}
    assert browser.client.get(path, headers=headers).json()["user"] == str(caller.pk)
    refused = browser.client.get("/session/admins", headers=headers)
    assert refused.status_code == 401


def test_post_with_token_does_not_need_the_session(admin: Any, browser: Browser, token: TokenMaker) -> None:
    LogtoSession.objects.all().end()
    response = browser.client.post("/plain", headers=bearer(token(scope="read:books")))
    assert response.status_code == 200


def test_session_does_not_replace_a_bad_token(
    doors: list[Door], admin: Any, browser: Browser, token: TokenMaker
) -> None:
    for door in doors:
        door.sees_refused(token(aud="other"), 401, "invalid_token", claim="aud", client=browser.client)
        door.sees_refused(token(scope="x"), 403, "insufficient_scope", client=browser.client)


@pytest.mark.parametrize("path", ["/both", "/both-async"])
def test_session_does_not_count_beside_token(
    admin: Any, browser: Browser, token: TokenMaker, caller: Any, path: str
) -> None:
    seen = browser.client.get(path, headers=bearer(token(scope="read:books"))).json()
    assert seen == {
        "users": [caller.pk] * 3,
        "subs": [token.sub, None],
        "may": [False, False],
        "roles": [],
        "organizations": [],
        "page": "False",
        "token": None,
    }


def test_session_does_not_count_beside_machine_token(admin: Any, browser: Browser, token: TokenMaker) -> None:
    robot = token(sub="robot", client_id="robot", scope="read:books write:books")
    seen = browser.client.get("/both", headers=bearer(robot)).json()
    assert (seen["users"], seen["may"]) == (["robot"] * 3, [True, True])
    assert (seen["roles"], seen["organizations"], seen["page"], seen["token"]) == ([], [], "False", None)


def test_page_ignores_the_token(admin: Any, browser: Browser, token: TokenMaker, caller: Any) -> None:
    headers = bearer(token(roles=["admin"]))
    assert browser.client.get("/session/admins", headers=headers).json() == {"user": admin.pk}
    assert Client().get("/session/admins", headers=headers).status_code == 302


def test_token_and_session_do_not_replace_each_other(admin: Any, browser: Browser, token: TokenMaker) -> None:
    del attacked_urls.ran[:]
    headers = bearer(token(roles=["admin"]))
    # The role of the session is not that of the caller, and the sign-in of the session neither.
    assert browser.client.get("/token-and-session/admins", headers=headers).status_code == 403
    assert browser.client.get("/token-and-recent", headers=headers).status_code == 302
    for path in ("/token-and-session/admins", "/token-and-recent", "/session-and-token/admins"):
        assert Client().get(path, headers=headers).status_code in (302, 403)
        assert browser.client.get(path).status_code == 401
    assert attacked_urls.ran == []
    # A user with both passes both, and is then the user of the token.
    seen = browser.client.get("/session-and-token/admins", headers=headers).json()
    assert seen["subs"] == [token.sub, None]


@pytest.mark.parametrize("scheme", [None, "Basic", "Token", "Bearer\t", "bearer=", ""])
def test_another_scheme_does_not_disable_csrf_check(
    admin: Any, browser: Browser, token: TokenMaker, scheme: str | None
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = browser.client.cookies
    headers = {} if scheme is None else {"Authorization": f"{scheme} {token()}"}
    assert client.get("/drf", headers=headers).status_code == 200
    del attacked_urls.ran[:]
    assert client.post("/drf", headers={**headers, "Origin": "https://evil.example"}).status_code == 403
    for path in ("/plain", "/class", "/both", "/ninja/books"):
        assert client.post(path, headers=headers).status_code in (401, 405)
    assert attacked_urls.ran == []


def test_token_leaves_the_session_unchanged(doors: list[Door], admin: Any, browser: Browser, token: TokenMaker) -> None:
    for door in doors:
        door.sees_served(token(), client=browser.client)
    assert browser.client.get("/session/admins").json() == {"user": admin.pk}

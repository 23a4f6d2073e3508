"""Logto rotates its keys while many requests are under way: no session is lost, and no genuine token is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from logto_auth.clients import access_token_verifier, oidc_client, reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.testing import Browser
from tests.ageing import age
from tests.support import query_of

API = "https://api.example"
PARALLEL = 8


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Return the results of `calls`, each in a thread of its own: values, or errors."""
    results: list[object] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def call(number: int) -> None:
        barrier.wait()
        try:
            results[number] = calls[number]()
        except Exception as error:
            results[number] = error

    threads = [threading.Thread(target=call, args=[number]) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def sign_in(browser: Browser, settings: Any) -> Callable[[], Any]:
    """Return a function that exchanges the code of a sign-in at Logto."""
    request = AuthorizationRequest()
    url = request.url(
        oidc_client().metadata.authorization_endpoint,
        client_id=settings.LOGTO_APP_ID,
        redirect_uri="http://testserver/callback",
        scopes=["openid", "offline_access"],
        resources=[],
        prompt="",
        options=SignInOptions(),
    )
    code = query_of(browser.logto.sign_in(url, "reader"))["code"]
    return lambda: oidc_client().exchange_code(
        code,
        redirect_uri="http://testserver/callback",
        code_verifier=request.code_verifier,
        nonce=request.nonce,
    )


def bearer(logto: Emulator, number: int) -> Callable[[], Any]:
    """Return a function that verifies a new access token."""
    now = logto.clock.now()
    claims = {"iss": logto.issuer, "aud": API, "sub": "u1", "client_id": "app", "jti": str(number)}
    token = logto.sign({**claims, "iat": now, "exp": now + 60}, header={"typ": "at+jwt"})
    return lambda: access_token_verifier().verify_for_resource(token, API)


@pytest.mark.django_db
def test_parallel_calls_survive_a_rotation(logto: Emulator, reader: Any, settings: Any) -> None:
    refreshed = [sign_in(Browser(logto), settings)() for _ in range(PARALLEL)]
    sign_ins = [sign_in(Browser(logto), settings) for _ in range(PARALLEL)]
    bearer(logto, -1)()
    logto.rotate_keys()
    logto.faults.http["jwks"] = HttpFault(delay_seconds=0.5)
    logto.requests.clear()
    refreshes = [
        lambda tokens=tokens: oidc_client().refresh(tokens.refresh_token, claims=tokens.id_token_claims)
        for tokens in refreshed
    ]
    results = at_once(*sign_ins, *refreshes, *(bearer(logto, number) for number in range(PARALLEL)))
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len(logto.requests.to("jwks")) <= 3


@pytest.mark.django_db
def test_invented_key_ids_delay_no_sign_in_after_a_rotation(logto: Emulator, reader: Any, settings: Any) -> None:
    call = sign_in(Browser(logto), settings)
    junk = logto.sign({"iss": logto.issuer}, header={"typ": "at+jwt", "kid": "made-up"})
    for _ in range(3):
        with pytest.raises(Exception, match="made-up"):
            access_token_verifier().verify_for_resource(junk, API)
    logto.rotate_keys()
    assert call().id_token is not None


def empty(document: dict[str, Any]) -> dict[str, Any]:
    return {"keys": []}


def other_key(document: dict[str, Any]) -> dict[str, Any]:
    return {"keys": [{**document["keys"][0], "kid": "other"}]}


@pytest.mark.django_db
@pytest.mark.parametrize("keys", [empty, other_key, None], ids=["no-keys", "other-key", "error-500"])
@pytest.mark.parametrize("cached", [False, True], ids=["new-process", "cached-keys"])
def test_session_survives_a_broken_key_set(
    browser: Browser, logto: Emulator, reader: Any, keys: Any, cached: bool
) -> None:
    browser.sign_in("reader")
    if cached:
        logto.rotate_keys()
    else:
        reset_clients()
    logto.faults.jwks = keys
    if keys is None:
        logto.faults.http["jwks"] = HttpFault(status=500)
    age(browser)
    assert browser.client.get("/account/claims").status_code == 200
    assert LogtoSession.objects.count() == 1
    logto.faults.clear()
    reset_clients()
    assert browser.client.get("/account/claims").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("fault", [None, HttpFault(status=500)], ids=["unknown-key", "no-keys"])
def test_logout_token_with_an_unknown_key(browser: Browser, logto: Emulator, reader: Any, fault: Any) -> None:
    browser.sign_in("reader")
    if fault:
        logto.faults.http["jwks"] = fault
    token = logto.sign({"iss": logto.issuer}, header={"typ": "logout+jwt", "kid": "made-up"})
    response = browser.client.post("/back-channel-logout", {"logout_token": token})
    assert response.status_code == (503 if fault else 400)
    assert LogtoSession.objects.count() == 1

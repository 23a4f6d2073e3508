"""Whole sign-ins and refreshes with wrong ID tokens, through the callback view.

`test_claim_matrix.py` has the rules of ID tokens. Here are one example of each group of rules, the modules of the
certification suite by their names, and what is more than a token: settings, keys, userinfo and refreshes.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from freezegun import freeze_time
from joserfc.jwk import ECKey, RSAKey

from logto_auth.backends import LogtoBackend
from logto_auth.emulator import Emulator
from logto_auth.exceptions import SignInRequired, TokenError
from logto_auth.models import LogtoSession
from logto_auth.signals import sign_in_refused
from logto_auth.testing import Browser
from tests.support import Witness, changed_claims, query_of

pytestmark = pytest.mark.django_db

Claims = dict[str, Any]
EVIL_KEY = ECKey.generate_key("P-384")
EVIL_RSA_KEY = RSAKey.generate_key(2048)
# An option without effect. Without any option the sign-in view does nothing for a user who is signed in.
SILENTLY = {"ui_locales": "en"}


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def b64_json(value: object) -> str:
    return b64(json.dumps(value).encode())


@pytest.fixture
def rsa(logto: Emulator) -> Iterator[Emulator]:
    """Logto with an RSA key."""
    logto.rotate_keys("RSA")
    yield logto
    # A reset does not restore the keys.
    logto.rotate_keys("EC")


@pytest.fixture
def refused(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> Callable[..., Any]:
    """Return a function that signs in and checks that the sign-in is refused because of `claim`."""

    def check(claim: str | tuple[str, ...] = ()) -> Any:
        errors: list[TokenError] = []
        receiver = lambda error, **kwargs: errors.append(error)  # noqa: E731
        sign_in_refused.connect(receiver)
        try:
            response = witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)
        finally:
            sign_in_refused.disconnect(receiver)
        if claim:
            assert errors[0].claim in ((claim,) if isinstance(claim, str) else claim)
        # As the OpenID conformance suite requires, no request follows a refusal.
        assert logto.requests[-1].endpoint in ("token", "jwks")
        assert logto.requests.to("me") == []
        return response

    return check


# Accepted


def test_sign_in_succeeds(browser: Browser, witness: Witness, logto: Emulator, reader: Any) -> None:
    assert witness.sees_signed_in(browser.sign_in("reader")).email == "reader@example.com"
    assert [request.endpoint for request in logto.requests if request.endpoint in ("discovery", "jwks", "token")] == [
        "discovery",
        "token",
        "jwks",
    ]


def test_secret_is_sent_by_basic_authentication(browser: Browser, logto: Emulator, reader: Any) -> None:
    browser.sign_in("reader")
    (request,) = logto.requests.to("token")
    assert request.headers["Authorization"] == "Basic [hidden]"
    assert not {"client_secret", "client_assertion"} & request.form.keys()


def test_userinfo_claims_are_added(browser: Browser, logto: Emulator, witness: Witness, settings: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "profile", "email", "phone", "address", "custom_data"]
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.tenant.add_user(
        username="reader",
        primary_email="reader@example.com",
        primary_phone="819012345678",
        name="Reader",
        profile={"address": {"locality": "Kyoto"}},
        custom_data={"shelf": 7},
    )
    response = browser.sign_in("reader")
    witness.sees_signed_in(response)
    claims = response.wsgi_request.logto.claims
    assert (claims["name"], claims["email"], claims["phone_number"]) == ("Reader", "reader@example.com", "819012345678")
    assert (claims["address"], claims["custom_data"]) == ({"locality": "Kyoto"}, {"shelf": 7})


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(lambda claims: {"aud": [claims["aud"]]}, id="list-of-me"),
        pytest.param(lambda claims: {"at_hash": ...}, id="oidcc-client-test-missing-athash"),
        pytest.param(lambda claims: {"roles": ..., "email": ..., "name": ..., "username": ...}, id="bare-minimum"),
        pytest.param(lambda claims: {"amr": ["pwd"], "acr": "0", "jti": "x", "events": {}}, id="claims-of-others"),
    ],
)
def test_unusual_valid_id_token_is_accepted(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, changes: Callable[[Claims], Claims]
) -> None:
    logto.faults.id_token_claims = lambda claims: changed_claims(**changes(claims))(claims)
    witness.sees_signed_in(browser.sign_in("reader"))


# Claims


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        pytest.param("nonce", "wrong", id="oidcc-client-test-nonce-invalid"),
        pytest.param("iss", "https://evil.example/oidc", id="oidcc-client-test-invalid-iss"),
        pytest.param("aud", "other", id="oidcc-client-test-invalid-aud"),
        pytest.param("aud", ..., id="oidcc-client-test-missing-aud"),
        pytest.param("exp", lambda claims: claims["iat"] - 3600, id="exp-past"),
        pytest.param("iat", ..., id="oidcc-client-test-missing-iat"),
        pytest.param("sub", ..., id="oidcc-client-test-missing-sub"),
        pytest.param("at_hash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", id="oidcc-client-test-invalid-athash"),
    ],
)
def test_one_wrong_claim_refuses_the_sign_in(
    refused: Callable[..., Any], logto: Emulator, claim: str, change: Any
) -> None:
    def wrong(claims: Claims) -> Claims:
        return changed_claims(**{claim: change(claims) if callable(change) else change})(claims)

    logto.faults.id_token_claims = wrong
    refused(claim)


def test_clock_skew_of_the_setting_is_exact(
    browser: Browser, logto: Emulator, witness: Witness, refused: Callable[..., Any], settings: Any
) -> None:
    settings.LOGTO_CLOCK_SKEW_SECONDS = 30
    # Both sides read the frozen clock, so `iat` is the present second of the site.
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)):
        logto.faults.id_token_claims = lambda claims: {**claims, "exp": claims["iat"] - 30}
        refused("exp")
        logto.faults.id_token_claims = lambda claims: {**claims, "exp": claims["iat"] - 29}
        witness.sees_signed_in(browser.sign_in("reader"))


def test_forged_sub_is_refused(logto: Emulator, refused: Callable[..., Any]) -> None:
    victim = logto.tenant.add_user(username="victim")
    logto.faults.id_token_claims = changed_claims(sub=victim.id)
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid=logto.keys.current.kid)
    refused("signature")


@pytest.mark.parametrize("userinfo_claims", [(), ("custom_data",)])
def test_only_sub_selects_the_user(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any, userinfo_claims: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = userinfo_claims
    logto.tenant.add_user(username="victim", id="victim000001")
    Browser(logto).sign_in("victim")
    logto.faults.id_token_claims = changed_claims(user_id="victim000001", id=1, pk=1, username="victim", upn="victim")
    logto.faults.token_response = lambda answer: {**answer, "sub": "victim000001", "user": {"sub": "victim000001"}}
    assert witness.sees_signed_in(browser.sign_in("reader")).username != "victim"


# Algorithm and signature


def test_algorithm_outside_the_setting_is_refused(refused: Callable[..., Any], rsa: Emulator) -> None:
    for alg in ("PS256", "RS512"):
        rsa.faults.id_token_header = changed_claims(alg=alg)
        refused("alg")


def test_es256_signature_by_another_key_is_refused(refused: Callable[..., Any], logto: Emulator) -> None:
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    logto.faults.id_token_key = key
    entry = {**other.as_dict(private=False), "alg": "ES256", "kid": key.thumbprint()}
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], entry]}
    refused("signature")


def test_es256_outside_the_setting_is_refused(refused: Callable[..., Any], logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SIGNING_ALGORITHMS = ["ES384", "RS256"]
    key = ECKey.generate_key("P-256")
    logto.faults.id_token_key = key
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(private=False), "alg": "ES256"}]}
    refused("alg")


def test_algorithm_of_the_setting_is_accepted(
    browser: Browser, rsa: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_SIGNING_ALGORITHMS = ["PS256"]
    rsa.faults.id_token_header = changed_claims(alg="PS256")
    witness.sees_signed_in(browser.sign_in("reader"))


def test_rs256_sign_in_succeeds(browser: Browser, rsa: Emulator, witness: Witness, reader: Any) -> None:
    witness.sees_signed_in(browser.sign_in("reader"))
    assert rsa.keys.current.alg == "RS256"


def test_rs256_signature_by_another_key_is_refused(refused: Callable[..., Any], rsa: Emulator) -> None:
    rsa.faults.id_token_key = EVIL_RSA_KEY
    rsa.faults.id_token_header = changed_claims(kid=rsa.keys.current.kid)
    refused("signature")


@pytest.mark.parametrize("alg", [pytest.param("none", id="oidcc-client-test-idtoken-sig-none")])
def test_token_without_algorithm_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator, alg: Any) -> None:
    logto.faults.id_token_header = changed_claims(alg=alg)
    refused(("alg", "header"))


def test_hmac_with_the_app_secret_is_refused(refused: Callable[..., Any], logto: Emulator, settings: Any) -> None:
    def forged(header: Claims, claims: Claims) -> str:
        signing_input = f"{b64_json({**header, 'alg': 'HS256'})}.{b64_json(claims)}"
        key = settings.LOGTO_APP_SECRET.encode()
        return f"{signing_input}.{b64(hmac.digest(key, signing_input.encode(), 'sha256'))}"

    logto.faults.id_token = forged
    refused("alg")


def test_key_url_in_the_header_is_not_fetched(refused: Callable[..., Any], logto: Emulator) -> None:
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid=logto.keys.current.kid, jku=f"{logto.endpoint}/api/status")
    refused("signature")
    assert not any(request.path == "/api/status" for request in logto.requests)


def test_unknown_key_cannot_be_verified_now(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid="unknown")
    began = time.monotonic()
    for _ in range(2):
        witness.sees_refused(lambda: browser.sign_in("reader", **SILENTLY), "provider_error", 503)
    # Each sign-in fetches the keys, but not twice in a second.
    assert len(logto.requests.to("jwks")) <= 2 + (time.monotonic() - began)
    logto.faults.id_token_key = logto.faults.id_token_header = None
    witness.sees_signed_in(browser.sign_in("reader"))


# Keys


def test_missing_kid_with_one_key_signs_in(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.jwks = lambda document: {"keys": document["keys"][:1]}
    logto.faults.id_token_header = changed_claims(kid=...)
    witness.sees_signed_in(browser.sign_in("reader"))


def test_missing_kid_with_several_keys_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    other = {**EVIL_KEY.as_dict(private=False), "use": "sig", "alg": "ES384", "kid": "other"}
    logto.faults.jwks = lambda document: {"keys": [other, *document["keys"][:1]]}
    logto.faults.id_token_header = changed_claims(kid=...)
    witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 503)


def test_key_rotated_during_the_sign_in_is_found(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    browser.sign_in("reader")
    kid = logto.keys.current.kid

    def rotate(claims: Claims) -> Claims:
        logto.rotate_keys()
        return claims

    logto.faults.id_token_claims = rotate
    witness.sees_signed_in(browser.sign_in(**SILENTLY))
    assert logto.keys.current.kid != kid
    assert len(logto.requests.to("jwks")) == 2


def test_key_rotated_between_sign_ins_is_found(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    witness.sees_signed_in(browser.sign_in("reader"))
    logto.rotate_keys()
    witness.sees_signed_in(browser.sign_in(**SILENTLY))


def test_staged_key_is_known_before_it_signs(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.rotate_keys(grace_seconds=30)
    witness.sees_signed_in(browser.sign_in("reader"))
    logto.clock.advance(31)
    witness.sees_signed_in(browser.sign_in(**SILENTLY))
    assert len(logto.requests.to("jwks")) == 1


def test_rotation_to_another_key_type_is_followed(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    witness.sees_signed_in(browser.sign_in("reader"))
    logto.rotate_keys("RSA")
    try:
        witness.sees_signed_in(browser.sign_in(**SILENTLY))
    finally:
        logto.rotate_keys("EC")


# Other kinds of tokens


def test_access_token_is_refused_as_id_token(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_RESOURCES = ["https://bookstore.example/api"]
    logto.tenant.add_resource("https://bookstore.example/api", scopes=["read:books"])
    response = browser.sign_in("reader")
    access_token = response.wsgi_request.logto.access_token("https://bookstore.example/api")
    assert access_token.count(".") == 2
    logto.faults.token_response = lambda answer: {**answer, "id_token": access_token}
    witness.sees_refused(lambda: browser.sign_in(**SILENTLY), "token_invalid", 400)


# Replay, userinfo


def test_replayed_id_token_is_refused(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    tokens: list[str] = []
    logto.faults.token_response = lambda answer: tokens.append(answer["id_token"]) or answer
    witness.sees_signed_in(browser.sign_in("reader"))
    logto.faults.token_response = None
    logto.faults.id_token = lambda header, claims: tokens[0]
    witness.sees_refused(lambda: browser.sign_in(**SILENTLY), "token_invalid", 400)
    # The token is also refused in the browser of an attacker.
    stranger = Browser(logto)
    assert Witness(stranger, logto, witness._log).sees_refused(lambda: stranger.sign_in("reader"), "token_invalid", 400)


@pytest.mark.parametrize(
    "sub",
    [
        pytest.param("anotheruser", id="oidcc-client-test-userinfo-invalid-sub"),
        pytest.param(..., id="missing"),
    ],
)
def test_userinfo_of_another_user_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any, sub: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.faults.userinfo = changed_claims(sub=sub)
    witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)


def test_signed_userinfo_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.faults.userinfo = lambda claims: logto.sign(claims)
    witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 502)


def test_userinfo_adds_only_the_configured_claims(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.faults.userinfo = lambda claims: {
        **claims,
        "iss": "https://evil.example",
        "email": "evil@example.com",
        "x": 1,
    }
    response = browser.sign_in("reader")
    assert witness.sees_signed_in(response).email == "reader@example.com"
    assert "x" not in response.wsgi_request.logto.claims


# Refreshed ID tokens


@pytest.fixture
def refresh(browser: Browser, logto: Emulator, reader: Any) -> Callable[[], str]:
    """Sign in with an access token that expires at once. Call the result to make the site refresh."""
    logto.faults.token_response = lambda answer: {**answer, "expires_in": 0}
    # With `prompt=login` Logto puts `auth_time` into ID tokens.
    browser.sign_in("reader", prompt="login")
    logto.faults.token_response = None
    return lambda: browser.client.get("/").wsgi_request.logto.access_token()


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        pytest.param("sub", "anotheruser", id="oidcc-client-test-refresh-token-invalid-sub"),
        pytest.param("iss", "https://evil.example", id="oidcc-client-test-refresh-token-invalid-issuer"),
        pytest.param("nonce", "another", id="nonce-differs"),
    ],
)
def test_mismatched_refreshed_id_token_ends_the_session(
    refresh: Callable[[], str], logto: Emulator, claim: str, change: Any
) -> None:
    logto.faults.id_token_claims = changed_claims(**{claim: change})
    with pytest.raises(TokenError) as caught:
        refresh()
    assert caught.value.claim == claim
    assert LogtoSession.objects.count() == 0
    logto.faults.id_token_claims = None
    with pytest.raises(SignInRequired):
        refresh()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="oidcc-client-test-refresh-token"),
        pytest.param({"nonce": ...}, id="nonce-missing"),
    ],
)
def test_matching_refreshed_id_token_is_accepted(refresh: Callable[[], str], logto: Emulator, changes: Claims) -> None:
    logto.faults.id_token_claims = changed_claims(**changes)
    # A later token may not change a claim that this one has omitted.
    logto.faults.token_response = lambda answer: {**answer, "expires_in": 0}
    assert refresh()
    logto.faults.token_response = None
    logto.faults.id_token_claims = changed_claims(nonce="another")
    with pytest.raises(TokenError):
        refresh()


def test_refresh_without_id_token_is_accepted(refresh: Callable[[], str], logto: Emulator) -> None:
    logto.faults.token_response = lambda answer: {name: answer[name] for name in answer if name != "id_token"}
    assert refresh()


def test_nonce_in_the_callback_query_is_ignored(browser: Browser, logto: Emulator, refused: Callable[..., Any]) -> None:
    nonce = query_of(browser.start())["nonce"]
    logto.faults.callback = lambda parameters: [*parameters, ("nonce", nonce)]
    logto.faults.id_token_claims = changed_claims(nonce=nonce)
    refused("nonce")


def test_inherited_verify_token_requires_the_nonce(browser: Browser, logto: Emulator, reader: Any) -> None:
    browser.sign_in("reader")
    tokens = LogtoSession.objects.get().tokens
    backend = LogtoBackend()
    assert backend.verify_token(tokens["id_token"], nonce=tokens["id_token_claims"]["nonce"])["sub"] == reader.id
    for arguments in ({}, {"nonce": None}, {"nonce": ""}, {"nonce": "another"}):
        with pytest.raises(TokenError) as caught:
            backend.verify_token(tokens["id_token"], **arguments)
        assert caught.value.claim == "nonce"

"""A sign-in or a refresh with an ID token that has one fault is refused. Whole sign-ins, through the callback view."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from freezegun import freeze_time
from joserfc.jwk import ECKey, OctKey, RSAKey

from logto_auth.backends import LogtoBackend
from logto_auth.clients import reset_clients
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
        pytest.param(lambda claims: {"aud": [claims["aud"], "other"], "azp": claims["aud"]}, id="me-other-azp-me"),
        pytest.param(lambda claims: {"azp": claims["aud"]}, id="azp-me"),
        pytest.param(lambda claims: {"iat": claims["iat"] - 23 * 3600}, id="iat-hours-old"),
        pytest.param(lambda claims: {"iat": claims["iat"] + 0.5, "exp": claims["exp"] + 0.25}, id="fractions"),
        pytest.param(lambda claims: {"nbf": claims["iat"]}, id="nbf-past"),
        pytest.param(lambda claims: {"at_hash": ...}, id="oidcc-client-test-missing-athash"),
        pytest.param(lambda claims: {"c_hash": "whatever"}, id="c_hash"),
        pytest.param(lambda claims: {"nonce_supported": False}, id="nonce_supported-false-and-the-nonce"),
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
        pytest.param("nonce", ..., id="nonce-missing"),
        pytest.param("nonce", "", id="nonce-empty"),
        pytest.param("nonce", None, id="nonce-null"),
        pytest.param("nonce", True, id="nonce-bool"),
        pytest.param("nonce", lambda claims: [claims["nonce"]], id="nonce-list"),
        pytest.param("nonce", lambda claims: claims["nonce"] + " ", id="nonce-trailing-space"),
        pytest.param("nonce", lambda claims: claims["nonce"].swapcase(), id="nonce-other-case"),
        pytest.param("iss", "https://evil.example/oidc", id="oidcc-client-test-invalid-iss"),
        pytest.param("iss", ..., id="iss-missing"),
        pytest.param("iss", None, id="iss-null"),
        pytest.param("iss", lambda claims: claims["iss"] + "/", id="iss-trailing-slash"),
        pytest.param("iss", lambda claims: claims["iss"].upper(), id="iss-other-case"),
        pytest.param("iss", lambda claims: [claims["iss"]], id="iss-array"),
        pytest.param("iss", lambda claims: claims["iss"].replace("localhost", "127.0.0.1"), id="iss-same-place"),
        pytest.param("aud", "other", id="oidcc-client-test-invalid-aud"),
        pytest.param("aud", ..., id="oidcc-client-test-missing-aud"),
        pytest.param("aud", [], id="aud-empty-list"),
        pytest.param("aud", None, id="aud-null"),
        pytest.param("aud", lambda claims: {claims["aud"]: True}, id="aud-object"),
        pytest.param("aud", lambda claims: [[claims["aud"]]], id="aud-list-in-list"),
        pytest.param("aud", lambda claims: claims["aud"][:-1], id="aud-substring"),
        pytest.param("aud", lambda claims: f"x{claims['aud']}x", id="aud-superstring"),
        pytest.param("aud", lambda claims: claims["aud"].upper(), id="aud-other-case"),
        pytest.param("exp", lambda claims: claims["iat"] - 3600, id="exp-past"),
        pytest.param("exp", ..., id="exp-missing"),
        pytest.param("exp", None, id="exp-null"),
        pytest.param("exp", lambda claims: str(claims["exp"]), id="exp-string"),
        pytest.param("exp", True, id="exp-bool"),
        pytest.param("exp", -1, id="exp-negative"),
        pytest.param("exp", 10**4000, id="exp-4000-digits"),
        pytest.param("exp", float("inf"), id="exp-infinity"),
        pytest.param("exp", float("nan"), id="exp-nan"),
        pytest.param("iat", ..., id="oidcc-client-test-missing-iat"),
        pytest.param("iat", lambda claims: claims["iat"] + 120, id="iat-future"),
        pytest.param("iat", lambda claims: claims["iat"] - 30 * 86_400, id="iat-30-days-old"),
        pytest.param("iat", "now", id="iat-string"),
        pytest.param("nbf", lambda claims: claims["iat"] + 120, id="nbf-future"),
        pytest.param("nbf", None, id="nbf-null"),
        pytest.param("sub", ..., id="oidcc-client-test-missing-sub"),
        pytest.param("sub", "", id="sub-empty"),
        pytest.param("sub", None, id="sub-null"),
        pytest.param("sub", 42, id="sub-integer"),
        pytest.param("sub", ["reader"], id="sub-list"),
        pytest.param("sub", {"sub": "reader"}, id="sub-object"),
        pytest.param("sub", "x" * 300, id="sub-300-characters"),
        pytest.param("sub", "a\x00b", id="sub-nul"),
        pytest.param("sub", "a\nb", id="sub-newline"),
        pytest.param("at_hash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", id="oidcc-client-test-invalid-athash"),
        pytest.param("at_hash", "", id="at_hash-empty"),
        pytest.param("at_hash", None, id="at_hash-null"),
        pytest.param("at_hash", lambda claims: claims["at_hash"][:22], id="at_hash-digest-of-another-alg"),
    ],
)
def test_one_wrong_claim_refuses_the_sign_in(
    refused: Callable[..., Any], logto: Emulator, claim: str, change: Any
) -> None:
    def wrong(claims: Claims) -> Claims:
        return changed_claims(**{claim: change(claims) if callable(change) else change})(claims)

    logto.faults.id_token_claims = wrong
    refused(claim)


def test_nonce_supported_false_does_not_replace_nonce(refused: Callable[..., Any], logto: Emulator) -> None:
    logto.faults.id_token_claims = changed_claims(nonce=..., nonce_supported=False)
    refused("nonce")


def test_number_too_large_for_a_float_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator) -> None:
    logto.faults.id_token = lambda header, claims: logto.sign(
        json.dumps(claims).replace(str(claims["exp"]), "1e400"), header=header
    )
    refused("exp")


@pytest.mark.parametrize(
    ("azp", "aud"),
    [
        pytest.param(..., ["{me}", "other"], id="me-other-without-azp"),
        pytest.param("other", ["{me}", "other"], id="other-me-other-azp-other"),
        pytest.param("other", "{me}", id="other-me-azp-other"),
        pytest.param(None, "{me}", id="me-azp-null"),
        pytest.param("{me}", "other", id="other-azp-me"),
    ],
)
def test_audience_and_authorized_party_must_agree(
    refused: Callable[..., Any], logto: Emulator, settings: Any, azp: Any, aud: Any
) -> None:
    me = settings.LOGTO_APP_ID
    audience = [name.replace("{me}", me) for name in aud] if isinstance(aud, list) else aud.replace("{me}", me)
    party = azp.replace("{me}", me) if isinstance(azp, str) else azp
    logto.faults.id_token_claims = changed_claims(aud=audience, azp=party)
    refused(("aud", "azp"))


@pytest.mark.parametrize(
    ("claim", "accepted", "rejected"),
    [("exp", -59, -60), ("iat", 60, 61), ("nbf", 60, 61), ("iat", -86_400, -86_401)],
    ids=["exp", "iat", "nbf", "iat-old"],
)
def test_clock_skew_has_exact_limits(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    refused: Callable[..., Any],
    claim: str,
    accepted: int,
    rejected: int,
) -> None:
    # Both sides read the frozen clock, so `iat` is the present second of the site.
    with freeze_time(datetime.now(timezone.utc).replace(microsecond=0)):
        logto.faults.id_token_claims = lambda claims: {**claims, claim: claims["iat"] + rejected}
        refused(claim)
        logto.faults.id_token_claims = lambda claims: {**claims, claim: claims["iat"] + accepted}
        witness.sees_signed_in(browser.sign_in("reader"))


def test_forged_sub_is_refused(browser: Browser, logto: Emulator, refused: Callable[..., Any]) -> None:
    victim = logto.tenant.add_user(username="victim")
    logto.faults.id_token_claims = changed_claims(sub=victim.id)
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid=logto.keys.current.kid)
    Browser(logto)
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


def test_es256_signature_is_refused(refused: Callable[..., Any], logto: Emulator) -> None:
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


@pytest.mark.parametrize(
    "alg",
    [
        pytest.param("none", id="oidcc-client-test-idtoken-sig-none"),
        pytest.param("None", id="None"),
        pytest.param("nOnE", id="nOnE"),
        pytest.param("", id="empty-alg"),
        pytest.param(None, id="null-alg"),
        pytest.param(..., id="no-alg"),
        pytest.param(["ES384"], id="list"),
        pytest.param({"alg": "ES384"}, id="object"),
        pytest.param("es384", id="es384-lower-case"),
    ],
)
def test_token_without_algorithm_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator, alg: Any) -> None:
    logto.faults.id_token_header = changed_claims(alg=alg)
    refused(("alg", "header"))


@pytest.mark.parametrize("signature", ["", "AA", "A" * 128, "A" * 127, "!", "="], ids=range(6))
def test_empty_or_invented_signature_is_refused(refused: Callable[..., Any], logto: Emulator, signature: str) -> None:
    logto.faults.id_token = lambda header, claims: (
        logto.sign(claims, header=header).rpartition(".")[0] + "." + signature
    )
    refused(("signature", "header"))


def test_altered_payload_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator) -> None:
    def altered(header: Claims, claims: Claims) -> str:
        head, _, signature = logto.sign(claims, header=header).split(".")
        return f"{head}.{b64_json({**claims, 'roles': ['admin']})}.{signature}"

    logto.faults.id_token = altered
    refused("signature")


def test_altered_header_is_refused(refused: Callable[..., Any], logto: Emulator) -> None:
    def altered(header: Claims, claims: Claims) -> str:
        _, payload, signature = logto.sign(claims, header=header).split(".")
        return f"{b64_json({**header, 'x': 1})}.{payload}.{signature}"

    logto.faults.id_token = altered
    refused("signature")


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("secret", id="oidcc-client-test-invalid-sig-hs256-with-the-app-secret"),
        pytest.param("pem", id="pem-hs256-with-the-public-pem"),
        pytest.param("jwk", id="jwk-hs256-with-the-public-jwk"),
        pytest.param("empty", id="empty-hs256-with-nothing"),
    ],
)
@pytest.mark.parametrize("with_kid", [True, False], ids=["kid", "no-kid"])
def test_hmac_with_a_known_value_is_refused(
    refused: Callable[..., Any], logto: Emulator, settings: Any, secret: str, with_kid: bool
) -> None:
    key = {
        "secret": settings.LOGTO_APP_SECRET.encode(),
        "pem": logto.keys.current.key.as_pem(private=False),
        "jwk": json.dumps(logto.keys.current.public_jwk()).encode(),
        "empty": b"\x00" * 32,
    }[secret]

    def forged(header: Claims, claims: Claims) -> str:
        header = changed_claims(alg="HS256", **({} if with_kid else {"kid": ...}))(header)
        signing_input = f"{b64_json(header)}.{b64_json(claims)}"
        return f"{signing_input}.{b64(hmac.digest(key, signing_input.encode(), 'sha256'))}"

    logto.faults.id_token = forged
    refused("alg")


def test_symmetric_key_in_the_key_set_is_ignored(refused: Callable[..., Any], logto: Emulator, settings: Any) -> None:
    key = OctKey.import_key(b"k" * 32)
    logto.faults.jwks = lambda document: {"keys": [*document["keys"], {**key.as_dict(), "kid": "oct", "alg": "HS256"}]}
    logto.faults.id_token_key = key
    logto.faults.id_token_header = changed_claims(kid="oct")
    refused("alg")
    settings.LOGTO_SIGNING_ALGORITHMS = ["ES384"]
    logto.faults.id_token_header = changed_claims(kid="oct", alg="ES384")
    refused("kid")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
@pytest.mark.parametrize("kid", ["kid-of-logto", "kid-of-the-evil-key", "no-kid"])
def test_key_in_the_header_is_ignored(refused: Callable[..., Any], logto: Emulator, name: str, kid: str) -> None:
    value = {
        "jwk": EVIL_KEY.as_dict(private=False),
        "x5c": ["MIIB"],
        "x5t": EVIL_KEY.thumbprint(),
    }.get(name, f"{logto.endpoint}/api/status")
    kids = {"kid-of-logto": logto.keys.current.kid, "kid-of-the-evil-key": EVIL_KEY.thumbprint(), "no-kid": ...}
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid=kids[kid], **{name: value})
    refused(("signature", "kid"))
    # The site has not fetched the URL in the token.
    assert not any(request.path == "/api/status" for request in logto.requests)


@pytest.mark.parametrize(
    "kid",
    [
        pytest.param("unknown", id="unknown"),
        pytest.param("", id="empty"),
        pytest.param("../../../../dev/null", id="path"),
        pytest.param("' OR '1'='1", id="sql"),
        pytest.param("x" * 10_000, id="10-KB"),
        pytest.param("\x00\x1b[2J\r\n", id="control-characters"),
        pytest.param(0, id="number"),
        pytest.param(["x"], id="list"),
        pytest.param({"$ne": None}, id="object"),
        pytest.param(False, id="false"),
    ],
)
def test_key_unknown_to_logto_is_refused(refused: Callable[..., Any], logto: Emulator, kid: Any) -> None:
    logto.faults.id_token_key = EVIL_KEY
    logto.faults.id_token_header = changed_claims(kid=kid)
    refused(("kid", "header"))
    # The keys are fetched at most twice: at first, and for the unknown key.
    assert len(logto.requests.to("jwks")) <= 2


def test_invented_key_ids_cause_few_requests(
    browser: Browser, refused: Callable[..., Any], logto: Emulator, witness: Witness
) -> None:
    logto.faults.id_token_key = EVIL_KEY
    for number in range(10):
        logto.faults.id_token_header = changed_claims(kid=f"junk-{number}")
        refused("kid")
    assert len(logto.requests.to("jwks")) == 2
    logto.faults.id_token_key = logto.faults.id_token_header = None
    witness.sees_signed_in(browser.sign_in("reader"))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"crit": ["exp"], "exp": 1}, id="crit"),
        pytest.param({"crit": []}, id="crit-empty"),
        pytest.param({"crit": None}, id="crit-null"),
        pytest.param({"crit": "exp"}, id="crit-text"),
        pytest.param({"crit": ["b64"], "b64": False}, id="b64-false"),
        pytest.param({"b64": False}, id="b64-false-without-crit"),
        pytest.param({"zip": "DEF", "crit": ["zip"]}, id="zip"),
    ],
)
def test_critical_header_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator, header: Claims) -> None:
    logto.faults.id_token_header = changed_claims(**header)
    refused(("crit", "header", "signature"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda token: token + "A" * 1_000_000, id="1-MB"),
        pytest.param(lambda token: f"{token}.AAAA.AAAA", id="five-segments"),
        pytest.param(lambda token: token.rpartition(".")[0], id="two-segments"),
        pytest.param(lambda token: f"{token}.AAAA", id="four-segments"),
        pytest.param(lambda token: "", id="empty"),
        pytest.param(lambda token: "..", id="dots"),
        pytest.param(lambda token: "not a token", id="text"),
        pytest.param(lambda token: f" {token}\n", id="white-space"),
        pytest.param(lambda token: f"{token}é", id="not-ascii"),
        pytest.param(lambda token: "W10" + token[token.index(".") :], id="header-a-list"),
        pytest.param(lambda token: "e30" + token[token.index(".") :], id="header-empty"),
        pytest.param(lambda token: "bm8" + token[token.index(".") :], id="header-no-json"),
        pytest.param(
            lambda token: urlsafe_b64encode(b"[" * 60_000).decode() + token[token.index(".") :],
            id="header-nested",
        ),
        pytest.param(
            lambda token: (
                b64_json({"alg": "RSA-OAEP", "enc": "A256GCM", "typ": "JWT", "kid": "x"}) + ".QUFB.QUFB.QUFB.QUFB"
            ),
            id="JWE",
        ),
        pytest.param(
            lambda token: b64_json({"alg": "dir", "enc": "A128CBC-HS256", "zip": "DEF"}) + "..QUFB.QUFB.QUFB",
            id="JWE-compressed",
        ),
    ],
)
def test_malformed_token_refuses_the_sign_in(
    refused: Callable[..., Any], logto: Emulator, make: Callable[[str], str]
) -> None:
    logto.faults.id_token = lambda header, claims: make(logto.sign(claims, header=header))
    refused(("token", "header", "alg", "signature"))


@pytest.mark.parametrize(
    "value", [None, 5, True, ["a.b.c"], {"a": "b"}], ids=["null", "number", "true", "list", "object"]
)
def test_id_token_that_is_not_text_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, value: Any
) -> None:
    logto.faults.token_response = lambda answer: {**answer, "id_token": value}
    witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"not json", id="text"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[" * 100_000, id="nested-list"),
        pytest.param(b'{"a":' * 30_000, id="nested-object"),
        pytest.param(b"\xff\xfe\x00", id="no-utf-8"),
        pytest.param(b"", id="empty"),
        pytest.param(b'{"exp": 1' + b"0" * 10_000 + b"}", id="10000-digits"),
    ],
)
def test_payload_without_claims_refuses_the_sign_in(
    refused: Callable[..., Any], logto: Emulator, payload: bytes
) -> None:
    logto.faults.id_token = lambda header, claims: logto.sign(payload, header=header)
    refused("payload")


def test_last_of_repeated_claims_is_checked(browser: Browser, logto: Emulator, refused: Callable[..., Any]) -> None:
    logto.faults.id_token = lambda header, claims: logto.sign(
        json.dumps(claims)[:-1] + ', "aud": "other"}', header=header
    )
    refused("aud")


# Keys


def test_missing_kid_with_one_key_signs_in(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.jwks = lambda document: {"keys": document["keys"][:1]}
    logto.faults.id_token_header = changed_claims(kid=...)
    witness.sees_signed_in(browser.sign_in("reader"))


def test_missing_kid_with_several_keys_is_refused(refused: Callable[..., Any], logto: Emulator) -> None:
    other = {**EVIL_KEY.as_dict(private=False), "use": "sig", "alg": "ES384", "kid": "other"}
    logto.faults.jwks = lambda document: {"keys": [other, *document["keys"][:1]]}
    logto.faults.id_token_header = changed_claims(kid=...)
    refused("kid")


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


def test_removed_key_is_refused(refused: Callable[..., Any], logto: Emulator) -> None:
    old = logto.keys.current.key
    logto.rotate_keys()
    logto.rotate_keys()
    reset_clients()
    logto.faults.id_token_key = old
    refused("kid")


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param({"use": "enc"}, id="use-enc"),
        pytest.param({"kty": "RSA"}, id="wrong-kty"),
        pytest.param({"kty": "OKP"}, id="other-kty"),
        pytest.param({"crv": "P-256"}, id="wrong-crv"),
        pytest.param({"alg": "ES256"}, id="wrong-alg"),
        pytest.param({"x": "AAAA"}, id="point-off-the-curve"),
        pytest.param({"x": 5, "y": None}, id="coordinates-no-text"),
        pytest.param({"kty": ["EC"]}, id="kty-list"),
        pytest.param({"kid": {"a": 1}}, id="kid-object"),
        pytest.param({"kid": "other"}, id="other-kid"),
        pytest.param({"kid": ...}, id="no-kid"),
    ],
)
def test_unsuitable_key_is_skipped(
    browser: Browser, logto: Emulator, witness: Witness, refused: Callable[..., Any], spoil: Claims
) -> None:
    honest = logto.keys.current.public_jwk()
    spoilt = changed_claims(**spoil)(honest)
    logto.faults.jwks = lambda document: {"keys": [spoilt]}
    refused("kid")
    reset_clients()
    logto.faults.jwks = lambda document: {"keys": [spoilt, None, "text", [], {}, honest]}
    witness.sees_signed_in(browser.sign_in("reader"))


def test_all_keys_with_the_same_kid_are_tried(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    kid = logto.keys.current.kid
    others = [
        {**EVIL_KEY.as_dict(private=False), "use": "sig", "alg": "ES384", "kid": kid},
        {**EVIL_RSA_KEY.as_dict(private=False), "use": "sig", "kid": kid},
    ]
    logto.faults.jwks = lambda document: {"keys": [*others, logto.keys.current.public_jwk()]}
    witness.sees_signed_in(browser.sign_in("reader"))


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_short_rsa_key_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator) -> None:
    short = RSAKey.import_key(generate_private_key(65537, 1024))
    logto.faults.id_token_key = short
    logto.faults.jwks = lambda document: {"keys": [{**short.as_dict(private=False), "kid": short.thumbprint()}]}
    refused("kid")


# Other kinds of tokens


@pytest.mark.parametrize(
    "typ", ["logout+jwt", "at+jwt", "secevent+jwt", "application/at+jwt", "AT+JWT", "", 5, ["JWT"]]
)
def test_token_of_another_type_refuses_the_sign_in(refused: Callable[..., Any], logto: Emulator, typ: Any) -> None:
    logto.faults.id_token_header = changed_claims(typ=typ)
    refused(("typ", "header"))


@pytest.mark.parametrize("typ", ["JWT", "jwt", ...])
def test_missing_type_is_accepted(browser: Browser, logto: Emulator, witness: Witness, reader: Any, typ: Any) -> None:
    logto.faults.id_token_header = changed_claims(typ=typ)
    witness.sees_signed_in(browser.sign_in("reader"))


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


@pytest.mark.parametrize("typ", ["logout+jwt", ...])
def test_logout_token_is_refused_as_id_token(refused: Callable[..., Any], logto: Emulator, typ: Any) -> None:
    logto.faults.id_token_header = changed_claims(typ=typ)
    logto.faults.id_token_claims = changed_claims(
        nonce=..., exp=..., events={"http://schemas.openid.net/event/backchannel-logout": {}}
    )
    refused(("typ", "exp"))


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
        pytest.param(None, id="null"),
        pytest.param("{sub} ", id="trailing-space"),
        pytest.param("{upper}", id="other-case"),
        pytest.param(["{sub}"], id="list"),
    ],
)
def test_userinfo_of_another_user_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any, sub: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    if isinstance(sub, str):
        sub = sub.replace("{sub}", reader.id).replace("{upper}", reader.id.upper())
    logto.faults.userinfo = changed_claims(sub=sub)
    witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)


@pytest.mark.parametrize("key", ["evil", "good"])
def test_signed_userinfo_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any, key: str
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.faults.userinfo = lambda claims: logto.sign(claims, key=EVIL_KEY if key == "evil" else None)
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
        pytest.param("sub", ..., id="sub-missing"),
        pytest.param("iss", "https://evil.example", id="oidcc-client-test-refresh-token-invalid-issuer"),
        pytest.param("aud", "other", id="aud-other"),
        pytest.param("aud", lambda claims: [claims["aud"], "other"], id="aud-more"),
        pytest.param("nonce", "another", id="nonce-differs"),
        pytest.param("nonce", None, id="nonce-null"),
        pytest.param("auth_time", lambda claims: claims["auth_time"] + 60, id="auth_time-later"),
        pytest.param("auth_time", lambda claims: claims["auth_time"] - 60, id="auth_time-earlier"),
        pytest.param("azp", "other", id="azp-other"),
        pytest.param("at_hash", "AAAA", id="at_hash-wrong"),
        pytest.param("exp", 0, id="exp-past"),
    ],
)
def test_mismatched_refreshed_id_token_ends_the_session(
    refresh: Callable[[], str], logto: Emulator, claim: str, change: Any
) -> None:
    logto.faults.id_token_claims = lambda claims: changed_claims(
        **{claim: change(claims) if callable(change) else change}
    )(claims)
    with pytest.raises(TokenError) as caught:
        refresh()
    assert caught.value.claim in (claim, "azp")
    assert LogtoSession.objects.count() == 0
    logto.faults.id_token_claims = None
    with pytest.raises(SignInRequired):
        refresh()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="oidcc-client-test-refresh-token"),
        pytest.param({"nonce": ...}, id="nonce-missing"),
        pytest.param({"auth_time": ...}, id="auth_time-missing"),
        pytest.param({"at_hash": ...}, id="at_hash-missing"),
        pytest.param({"name": "New Name", "roles": []}, id="new-profile"),
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

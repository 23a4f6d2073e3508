"""Every rule of every validator, with exactly one thing wrong at a time.

The first part applies the shared rules to each kind of token. The other parts have the rules of one kind. Each part
also accepts the last value before the limit, so that a limit cannot move in either direction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from logto_auth.oidc.access_tokens import check_introspection
from logto_auth.oidc.errors import TokenError
from logto_auth.oidc.id_tokens import check_authentication_age, check_refreshed
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.logout_tokens import LOGOUT_EVENT
from logto_auth.oidc.token_checks import MAX_TOKEN_LENGTH
from tests.oidc.kinds import ACCESS, API, ID, KINDS, LEEWAY, LOGOUT, SUB, Kind, at_hash, changed
from tests.oidc.signing import (
    ALGORITHMS,
    CLIENT_ID,
    EC_KEY,
    ISSUER,
    NOW,
    OTHER_EC_KEY,
    RSA_KEY,
    b64,
    jwk,
    sign,
)

DAY = 24 * 3600
TOO_LONG = "x" * 256
LONGEST = "x" * 255

each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_kind_for_a_client = pytest.mark.parametrize("kind", [ID, LOGOUT], ids=["id", "logout"])
each_kind_with_exp = pytest.mark.parametrize("kind", [ID, ACCESS], ids=["id", "access"])

# What is not a time in seconds since the epoch.
NOT_A_TIME = {
    "missing": ...,
    "null": None,
    "text": str(NOW),
    "true": True,
    "list": [NOW],
    "negative": -1,
    "too-large": 1e12,
    "huge-integer": 10**4000,
    "infinity": float("inf"),
    "nan": float("nan"),
}
# What is neither missing nor an ID.
NOT_AN_ID = {
    "empty": "",
    "number": 5,
    "list": [SUB],
    "object": {"id": SUB},
    "true": True,
    "nul": "a\x00b",
    "newline": "a\nb",
    "surrogate": "\ud800",
    "too-long": TOO_LONG,
}
# The ID of a client may be the URL of its metadata document, of up to 2,048 characters.
LONGEST_CLIENT_ID = f"https://client.example/{'a' * 2048}"[:2048]
NOT_A_CLIENT_ID = {**NOT_AN_ID, "too-long": LONGEST_CLIENT_ID + "a"}


def rows(values: dict[str, Any]) -> list[Any]:
    return [pytest.param(value, id=name) for name, value in values.items()]


# All kinds: form, header and signature


@each_kind
def test_good_token_is_accepted(kind: Kind) -> None:
    assert kind.validate(kind.token())


@each_kind
@pytest.mark.parametrize(
    "token",
    rows(
        {
            "null": None,
            "number": 1,
            "bytes": b"a.b.c",
            "list": ["a.b.c"],
            "not-ascii": "é.é.é",
            "too-long": "x" * (MAX_TOKEN_LENGTH + 1),
        }
    ),
)
def test_token_of_another_type_or_size_is_refused(kind: Kind, token: object) -> None:
    kind.refuses(token, "token")


@each_kind
@pytest.mark.parametrize(
    "spoil",
    rows(
        {
            "empty": lambda token: "",
            "two-parts": lambda token: token.rpartition(".")[0],
            "five-parts": lambda token: token + ".x.x",
            "padding": lambda token: token + "=",
            "line-break": lambda token: token + "\n",
            "space": lambda token: " " + token,
            "longest": lambda token: "x" * MAX_TOKEN_LENGTH,
            "header-not-base64": lambda token: "x" + token,
            "header-not-json": lambda token: b64(b"{") + token[token.index(".") :],
            "header-not-an-object": lambda token: b64(b"[]") + token[token.index(".") :],
            "header-nested": lambda token: b64(b"[" * 100_000) + token[token.index(".") :],
            "dots": lambda token: "..",
            "many-dots": lambda token: "." * 5000,
            "signature-not-base64": lambda token: token.rpartition(".")[0] + ".!",
            "encrypted": lambda token: b64(b'{"alg":"RSA-OAEP","enc":"A256GCM"}') + ".QUFB.QUFB.QUFB.QUFB",
            "encrypted-and-compressed": lambda token: (
                b64(b'{"alg":"dir","enc":"A128GCM","zip":"DEF"}') + "..QUFB.QUFB.QUFB"
            ),
        }
    ),
)
def test_token_that_is_no_compact_jws_is_refused(kind: Kind, spoil: Callable[[str], str]) -> None:
    kind.refuses(spoil(kind.token()), "header")


@each_kind
@pytest.mark.parametrize(
    "alg",
    rows(
        {
            "none": "none",
            "upper-case-none": "NONE",
            "lower-case": "es384",
            "hmac": "HS256",
            "not-allowed": "ES256",
            "empty": "",
            "null": None,
            "missing": ...,
            "list": ["ES384"],
            "object": {"alg": "ES384"},
            "nested": json.loads("[" * 400 + "]" * 400),
        }
    ),
)
def test_other_algorithm_is_refused(kind: Kind, alg: Any) -> None:
    kind.refuses(kind.unsigned({"alg": alg}), "alg")


@each_kind
def test_algorithm_that_the_site_does_not_allow_is_refused(kind: Kind) -> None:
    kind.refuses(kind.token(), "alg", algorithms=("RS256",))


@each_kind
@pytest.mark.parametrize(
    "header",
    rows(
        {
            "crit": {"crit": ["exp"], "exp": 1},
            "crit-empty": {"crit": []},
            "crit-null": {"crit": None},
            "crit-text": {"crit": "exp"},
            "b64": {"b64": True},
            "b64-false": {"crit": ["b64"], "b64": False},
            "zip": {"crit": ["zip"], "zip": "DEF"},
        }
    ),
)
def test_critical_header_is_refused(kind: Kind, header: dict[str, Any]) -> None:
    # PyJWT refuses some of these itself, when it reads the header.
    with pytest.raises(TokenError) as caught:
        kind.validate(kind.unsigned(header))
    assert caught.value.claim in ("crit", "header")


OTHER_TYPES = {
    "id": ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "JWTx"],
    "access": ["JWT", "logout+jwt", "secevent+jwt", "application/jwt", "at+jwtx"],
    "logout": ["JWT", "at+jwt", "application/at+jwt", "secevent+jwt"],
}


@pytest.mark.parametrize(("kind", "typ"), [(name, typ) for name, types in OTHER_TYPES.items() for typ in types])
def test_token_of_another_kind_is_refused(kind: str, typ: str) -> None:
    KINDS[kind].refuses(KINDS[kind].token(header={"typ": typ}), "typ")


@each_kind
@pytest.mark.parametrize("typ", rows({"number": 5, "list": ["JWT"], "object": {}, "true": True, "empty": ""}))
def test_typ_that_is_no_text_is_refused(kind: Kind, typ: Any) -> None:
    kind.refuses(kind.unsigned({"typ": typ}), "typ")


@pytest.mark.parametrize("kind", [ACCESS, LOGOUT], ids=["access", "logout"])
def test_missing_typ_is_refused(kind: Kind) -> None:
    kind.refuses(kind.unsigned({"typ": ...}), "typ")


@pytest.mark.parametrize(
    ("kind", "typ"),
    [("id", "jwt"), ("id", "JWT"), ("access", "AT+JWT"), ("access", "application/at+jwt"), ("logout", "Logout+JWT")],
)
def test_typ_is_compared_without_case(kind: str, typ: str) -> None:
    assert KINDS[kind].validate(KINDS[kind].token(header={"typ": typ}))


@each_kind
@pytest.mark.parametrize("kid", rows({"number": 5, "list": ["ec"], "object": {}, "true": True}))
def test_kid_that_is_no_text_is_refused(kind: Kind, kid: Any) -> None:
    # PyJWT refuses some of these itself, when it reads the header.
    with pytest.raises(TokenError) as caught:
        kind.validate(kind.unsigned({"kid": kid}))
    assert caught.value.claim in ("kid", "header")


@each_kind
@pytest.mark.parametrize(
    "kid",
    rows(
        {
            "unknown": "other",
            "empty": "",
            "prefix": "e",
            "other-case": "EC",
            "of-another-type": "rsa",
            "sql": "' OR '1'='1",
            "path": "../../../../dev/null",
            "control-characters": "\x00\x1b[2J\r\n",
            "10-KB": "x" * 10_000,
        }
    ),
)
def test_unknown_kid_is_refused(kind: Kind, kid: str) -> None:
    kind.refuses(kind.unsigned({"kid": kid}), "kid")


@each_kind
def test_missing_kid_is_refused_if_there_is_a_choice(kind: Kind) -> None:
    keys = KeySet.parse({"keys": [jwk(EC_KEY, "one"), jwk(OTHER_EC_KEY, "two")]}, ALGORITHMS)
    kind.refuses(kind.token(header={"kid": None}), "kid", keys)
    assert kind.validate(kind.token(header={"kid": None}))


@each_kind
def test_signature_by_another_key_is_refused(kind: Kind) -> None:
    kind.refuses(kind.token(key=OTHER_EC_KEY), "signature")


@each_kind
@pytest.mark.parametrize("part", [1, 2], ids=["payload", "signature"])
def test_altered_part_is_refused(kind: Kind, part: int) -> None:
    parts, others = kind.token().split("."), kind.token({"iat": NOW - 1}).split(".")
    parts[part] = others[part]
    kind.refuses(".".join(parts), "signature")


@each_kind
def test_altered_header_is_refused(kind: Kind) -> None:
    _, payload, signature = kind.token().split(".")
    header = b64(json.dumps({"alg": "ES384", "kid": "ec", "typ": kind.typ, "x": 1}).encode())
    kind.refuses(f"{header}.{payload}.{signature}", "signature")


@each_kind
@pytest.mark.parametrize("signature", ["", "AA", "A" * 128], ids=["missing", "short", "invented"])
def test_missing_or_invented_signature_is_refused(kind: Kind, signature: str) -> None:
    kind.refuses(f"{kind.token().rpartition('.')[0]}.{signature}", "signature")


@pytest.mark.parametrize("spelling", ["{}~", "{}~~~~", "{}=", "{}==", "{}====", "+{}", "{}/", "~~~~{}"])
def test_respelled_signature_is_refused(spelling: str) -> None:
    """Otherwise one valid token could fill the cache in many spellings."""
    head, _, signature = ACCESS.token(header={"kid": "rsa"}, key=RSA_KEY, alg="RS256").rpartition(".")
    assert ACCESS.validate(f"{head}.{signature}")
    ACCESS.refuses(f"{head}.{spelling.format(signature)}", "header")


@each_kind
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_key_in_the_header_is_ignored(kind: Kind, name: str) -> None:
    header = {name: {"jwk": jwk(OTHER_EC_KEY), "x5c": ["MII="]}.get(name, "https://evil.example/keys")}
    kind.refuses(kind.token(header=header, key=OTHER_EC_KEY), "signature")
    assert kind.validate(kind.token(header=header))


@each_kind
@pytest.mark.parametrize(
    "payload",
    rows(
        {
            "empty": b"",
            "no-json": b"{",
            "list": b"[]",
            "text": b'"x"',
            "null": b"null",
            "nested": b"[" * 100_000,
            "nested-object": b'{"a":' * 30_000,
            "no-utf-8": b"\xff\xfe",
            "10000-digits": b'{"exp": 1' + b"0" * 10_000 + b"}",
        }
    ),
)
def test_payload_that_is_no_json_object_is_refused(kind: Kind, payload: bytes) -> None:
    kind.refuses(sign(payload, {"typ": kind.typ}), "payload")


@each_kind
def test_last_of_repeated_claims_is_checked(kind: Kind) -> None:
    kind.refuses(sign(json.dumps(kind.claims)[:-1].encode() + b', "iss": "other"}', {"typ": kind.typ}), "iss")


@pytest.mark.parametrize(("kind", "other"), [(a, b) for a in KINDS for b in KINDS if a != b])
def test_claims_of_another_kind_are_refused(kind: str, other: str) -> None:
    with pytest.raises(TokenError):
        KINDS[kind].validate(KINDS[other].token(header={"typ": KINDS[kind].typ}))


# All kinds: issuer


@each_kind
@pytest.mark.parametrize(
    "iss",
    rows(
        {
            "other": "https://evil.example/oidc",
            "missing": ...,
            "null": None,
            "slash": ISSUER + "/",
            "other-case": ISSUER.upper(),
            "prefix": ISSUER[:-1],
            "list": [ISSUER],
        }
    ),
)
def test_other_issuer_is_refused(kind: Kind, iss: Any) -> None:
    kind.refuses(kind.token({"iss": iss}), "iss")


# ID and logout tokens: audience


@each_kind_for_a_client
@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"aud": "other"}, "aud", id="other"),
        pytest.param({"aud": ...}, "aud", id="missing"),
        pytest.param({"aud": None}, "aud", id="null"),
        pytest.param({"aud": []}, "aud", id="empty-list"),
        pytest.param({"aud": ["other"]}, "aud", id="list-of-other"),
        pytest.param({"aud": [[CLIENT_ID]]}, "aud", id="nested-list"),
        pytest.param({"aud": {CLIENT_ID: 1}}, "aud", id="object"),
        pytest.param({"aud": CLIENT_ID[:-1]}, "aud", id="prefix"),
        pytest.param({"aud": CLIENT_ID + "x"}, "aud", id="suffix"),
        pytest.param({"aud": CLIENT_ID.upper()}, "aud", id="other-case"),
        pytest.param({"aud": "other", "azp": CLIENT_ID}, "aud", id="azp-does-not-replace-aud"),
        pytest.param({"azp": "other"}, "azp", id="azp-other"),
        pytest.param({"azp": None}, "azp", id="azp-null"),
        pytest.param({"azp": [CLIENT_ID]}, "azp", id="azp-list"),
        pytest.param({"aud": [CLIENT_ID, "other"]}, "azp", id="several-without-azp"),
        pytest.param({"aud": [CLIENT_ID, "other"], "azp": "other"}, "azp", id="several-with-azp-other"),
    ],
)
def test_other_audience_is_refused(kind: Kind, changes: dict[str, Any], claim: str) -> None:
    kind.refuses(kind.token(changes), claim)


@each_kind_for_a_client
@pytest.mark.parametrize(
    "changes",
    rows(
        {
            "list-of-one": {"aud": [CLIENT_ID]},
            "azp": {"azp": CLIENT_ID},
            "several-with-azp": {"aud": ["other", CLIENT_ID], "azp": CLIENT_ID},
        }
    ),
)
def test_audience_with_this_client_is_accepted(kind: Kind, changes: dict[str, Any]) -> None:
    assert kind.validate(kind.token(changes))


# Times


@each_kind_with_exp
@pytest.mark.parametrize("value", rows(NOT_A_TIME))
@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_time_of_another_form_is_refused(kind: Kind, claim: str, value: Any) -> None:
    kind.refuses(kind.token({claim: value}), claim)


@pytest.mark.parametrize("value", rows(NOT_A_TIME))
def test_iat_of_a_logout_token_of_another_form_is_refused(value: Any) -> None:
    LOGOUT.refuses(LOGOUT.token({"iat": value}), "iat")


@pytest.mark.parametrize("value", rows({name: value for name, value in NOT_A_TIME.items() if name != "missing"}))
@pytest.mark.parametrize(("kind", "claim"), [("id", "nbf"), ("access", "nbf"), ("logout", "exp")])
def test_optional_time_of_another_form_is_refused(kind: str, claim: str, value: Any) -> None:
    KINDS[kind].refuses(KINDS[kind].token({claim: value}), claim)


@each_kind
def test_number_too_large_for_a_float_is_refused(kind: Kind) -> None:
    payload = json.dumps(kind.claims).replace(f'"iat": {NOW}', '"iat": 1e400').encode()
    kind.refuses(sign(payload, {"typ": kind.typ}), "iat")


@pytest.mark.parametrize(
    ("kind", "claim", "accepted", "refused"),
    [
        ("id", "exp", NOW - LEEWAY + 1, NOW - LEEWAY),
        ("id", "iat", NOW + LEEWAY, NOW + LEEWAY + 1),
        ("id", "iat", NOW - DAY, NOW - DAY - 1),
        ("id", "nbf", NOW + LEEWAY, NOW + LEEWAY + 1),
        ("access", "exp", NOW - LEEWAY + 1, NOW - LEEWAY),
        ("access", "iat", NOW + LEEWAY, NOW + LEEWAY + 1),
        ("access", "nbf", NOW + LEEWAY, NOW + LEEWAY + 1),
        ("logout", "iat", NOW + LEEWAY, NOW + LEEWAY + 1),
        ("logout", "iat", NOW - 120 - LEEWAY, NOW - 120 - LEEWAY - 1),
        ("logout", "exp", NOW - LEEWAY + 1, NOW - LEEWAY),
    ],
)
def test_times_have_exact_limits(kind: str, claim: str, accepted: int, refused: int) -> None:
    assert KINDS[kind].validate(KINDS[kind].token({claim: accepted}))
    KINDS[kind].refuses(KINDS[kind].token({claim: refused}), claim)


@each_kind_with_exp
def test_times_may_be_fractions(kind: Kind) -> None:
    assert kind.validate(kind.token({"iat": NOW - 0.5, "exp": NOW + 0.5}))


@each_kind_with_exp
def test_smallest_time_is_zero(kind: Kind) -> None:
    assert kind.validate(kind.token({"nbf": 0}))


def test_access_token_may_be_old() -> None:
    assert ACCESS.validate(ACCESS.token({"iat": NOW - 400 * DAY}))


# Subject


@each_kind_with_exp
@pytest.mark.parametrize("value", rows({"missing": ..., "null": None, **NOT_AN_ID}))
def test_sub_of_another_form_is_refused(kind: Kind, value: Any) -> None:
    kind.refuses(kind.token({"sub": value}), "sub")


@each_kind
def test_longest_sub_is_accepted(kind: Kind) -> None:
    assert kind.validate(kind.token({"sub": LONGEST}))


# ID tokens


@pytest.mark.parametrize(
    "nonce",
    rows(
        {
            "other": "m",
            "missing": ...,
            "null": None,
            "empty": "",
            "list": ["n"],
            "true": True,
            "space": "n ",
            "other-case": "N",
            "surrogate": "\ud800",
        }
    ),
)
def test_other_nonce_is_refused(nonce: Any) -> None:
    ID.refuses(ID.token({"nonce": nonce}), "nonce")


def test_nonce_supported_false_does_not_excuse_a_missing_nonce() -> None:
    ID.refuses(ID.token({"nonce": ..., "nonce_supported": False}), "nonce")


def test_nonce_is_not_compared_if_the_caller_has_none() -> None:
    assert ID.validate(ID.token({"nonce": "other"}), nonce=None)
    assert ID.validate(ID.token({"nonce": ...}), nonce=None)
    ID.refuses(ID.token({"nonce": ...}), "nonce", nonce="")


@pytest.mark.parametrize(
    "value",
    rows(
        {
            "of-another-token": at_hash(token="other"),
            "of-another-digest": at_hash("sha256"),
            "prefix": at_hash()[:-1],
            "padding": at_hash() + "=",
            "other-case": at_hash().swapcase(),
            "empty": "",
            "null": None,
            "list": [at_hash()],
        }
    ),
)
def test_other_at_hash_is_refused(value: Any) -> None:
    ID.refuses(ID.token({"at_hash": value}), "at_hash")


@pytest.mark.parametrize(("alg", "digest"), [("ES384", "sha384"), ("ES512", "sha512"), ("ES256", "sha256")])
def test_at_hash_uses_the_digest_of_the_algorithm(alg: str, digest: str) -> None:
    curve = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}[alg]
    key = ec.generate_private_key(curve())
    keys = KeySet.parse({"keys": [jwk(key, alg=alg)]}, [alg])
    assert ID.validate(ID.token({"at_hash": at_hash(digest)}, key=key, alg=alg), keys, algorithms=[alg])


def test_at_hash_may_be_missing() -> None:
    assert ID.validate(ID.token({"at_hash": ...}))
    assert ID.validate(ID.token(), access_token=None)


def test_claims_of_an_id_token_are_read_only() -> None:
    claims = ID.validate(ID.token({"name": "Reader"}))
    assert claims["name"] == "Reader"
    with pytest.raises(TypeError):
        claims["name"] = "Writer"


# Refreshed ID tokens

FORMER = {"sub": SUB, "nonce": "n", "auth_time": NOW}


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"sub": "other"}, "sub", id="sub"),
        pytest.param({"nonce": "other"}, "nonce", id="nonce"),
        pytest.param({"nonce": None}, "nonce", id="nonce-null"),
        pytest.param({"auth_time": NOW + 1}, "auth_time", id="auth_time-later"),
        pytest.param({"auth_time": NOW - 1}, "auth_time", id="auth_time-earlier"),
    ],
)
def test_refreshed_token_of_another_sign_in_is_refused(changes: dict[str, Any], claim: str) -> None:
    with pytest.raises(TokenError) as caught:
        check_refreshed({**FORMER, **changes}, FORMER)
    assert caught.value.claim == claim


@pytest.mark.parametrize("claims", rows({"all": FORMER, "only-sub": {"sub": SUB}, "new-name": {**FORMER, "name": "x"}}))
def test_refreshed_token_of_the_same_sign_in_is_accepted(claims: dict[str, Any]) -> None:
    check_refreshed(claims, FORMER)
    check_refreshed(claims, {"sub": SUB})


# Age of the authentication


def check_age(auth_time: Any) -> None:
    claims = changed({"sub": SUB}, {"auth_time": auth_time})
    check_authentication_age(claims, max_age_seconds=300, leeway_seconds=LEEWAY, now=NOW)


@pytest.mark.parametrize("value", rows({"too-old": NOW - 300 - LEEWAY - 1, **NOT_A_TIME}))
def test_authentication_that_is_too_old_or_unknown_is_refused(value: Any) -> None:
    with pytest.raises(TokenError) as caught:
        check_age(value)
    assert caught.value.claim == "auth_time"


@pytest.mark.parametrize("value", rows({"oldest": NOW - 300 - LEEWAY, "now": NOW, "fraction": NOW - 0.5}))
def test_recent_authentication_is_accepted(value: float) -> None:
    check_age(value)


# Access tokens


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"aud": ...}, "aud", id="aud-missing"),
        pytest.param({"aud": ""}, "aud", id="aud-empty"),
        pytest.param({"aud": []}, "aud", id="aud-empty-list"),
        pytest.param({"aud": [API, API]}, "aud", id="aud-several"),
        pytest.param({"aud": [[API]]}, "aud", id="aud-nested-list"),
        pytest.param({"aud": {API: 1}}, "aud", id="aud-object"),
        pytest.param({"aud": "x" * 2049}, "aud", id="aud-too-long"),
        pytest.param({"aud": "urn:logto:organization:"}, "aud", id="organization-audience-without-id"),
        pytest.param({"aud": "urn:logto:organization:" + TOO_LONG}, "aud", id="organization-audience-too-long"),
        pytest.param({"aud": "urn:logto:organization:a\nb"}, "aud", id="organization-audience-newline"),
        pytest.param({"aud": "urn:logto:organization:\ud800"}, "aud", id="organization-audience-surrogate"),
        pytest.param({"client_id": ...}, "client_id", id="client_id-missing"),
        pytest.param({"client_id": None}, "client_id", id="client_id-null"),
        pytest.param({"scope": None}, "scope", id="scope-null"),
        pytest.param({"scope": ["read:books"]}, "scope", id="scope-list"),
        pytest.param({"scope": 5}, "scope", id="scope-number"),
    ],
)
def test_access_token_with_a_wrong_claim_is_refused(changes: dict[str, Any], claim: str) -> None:
    ACCESS.refuses(ACCESS.token(changes), claim)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *(pytest.param("client_id", value, id=f"client_id-{name}") for name, value in NOT_A_CLIENT_ID.items()),
        *(pytest.param("organization_id", value, id=f"organization_id-{name}") for name, value in NOT_AN_ID.items()),
    ],
)
def test_id_in_an_access_token_of_another_form_is_refused(claim: str, value: Any) -> None:
    ACCESS.refuses(ACCESS.token({claim: value}), claim)


def test_longest_client_id_is_accepted() -> None:
    assert ACCESS.validate(ACCESS.token({"client_id": LONGEST_CLIENT_ID})).client_id == LONGEST_CLIENT_ID


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, (API, {"read:books"}, None, False, False), id="user"),
        pytest.param({"aud": [API]}, (API, {"read:books"}, None, False, False), id="list-of-one"),
        pytest.param({"aud": "x" * 2048}, ("x" * 2048, {"read:books"}, None, False, False), id="longest-audience"),
        pytest.param({"scope": ...}, (API, set(), None, False, False), id="no-scope"),
        pytest.param({"scope": " a  b\tc "}, (API, {"a", "b\tc"}, None, False, False), id="only-space-separates"),
        pytest.param({"sub": CLIENT_ID}, (API, {"read:books"}, None, True, False), id="machine"),
        pytest.param({"organization_id": "o"}, (API, {"read:books"}, "o", False, False), id="organization"),
        pytest.param({"organization_id": None}, (API, {"read:books"}, None, False, False), id="organization-null"),
        pytest.param(
            {"aud": "urn:logto:organization:o", "organization_id": "p"},
            ("urn:logto:organization:o", {"read:books"}, "o", False, True),
            id="organization-token",
        ),
    ],
)
def test_claims_of_an_access_token(changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    claims = ACCESS.validate(ACCESS.token(changes))
    facts = (claims.audience, claims.scopes, claims.organization_id, claims.is_machine, claims.is_organization_token)
    assert facts == expected
    assert (claims.issuer, claims.client_id, claims.expires_at) == (ISSUER, CLIENT_ID, NOW + 3600)


# Opaque access tokens

ACTIVE = {
    "active": True,
    "sub": SUB,
    "client_id": CLIENT_ID,
    "exp": NOW + 3600,
    "iss": ISSUER,
    "scope": "openid",
    "token_type": "Bearer",
}


def introspect(**changes: Any) -> Any:
    return check_introspection(changed(ACTIVE, changes), issuer=ISSUER, now=NOW)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        *(pytest.param("active", value, id=f"active-{value!s:.8}") for value in (False, None, "true", 1)),
        pytest.param("active", ..., id="active-missing"),
        *(pytest.param("token_type", value, id=f"token_type-{value}") for value in ("DPoP", "bearer", None)),
        pytest.param("token_type", ..., id="token_type-missing"),
        pytest.param("iss", "https://evil.example/oidc", id="iss-other"),
        pytest.param("iss", ..., id="iss-missing"),
        pytest.param("exp", NOW, id="exp-now"),
        *(pytest.param("exp", value, id=f"exp-{name}") for name, value in NOT_A_TIME.items()),
        *(pytest.param("sub", value, id=f"sub-{name}") for name, value in {"missing": ..., **NOT_AN_ID}.items()),
        pytest.param("client_id", ..., id="client_id-missing"),
        *(pytest.param("client_id", value, id=f"client_id-{name}") for name, value in NOT_A_CLIENT_ID.items()),
        pytest.param("scope", ["openid"], id="scope-list"),
        pytest.param("scope", None, id="scope-null"),
    ],
)
def test_introspection_with_a_wrong_member_is_refused(claim: str, value: Any) -> None:
    with pytest.raises(TokenError) as caught:
        introspect(**{claim: value})
    assert caught.value.claim == claim


def test_claims_of_an_active_opaque_token() -> None:
    claims = introspect(exp=NOW + 1)
    assert (claims.sub, claims.client_id, claims.scopes) == (SUB, CLIENT_ID, {"openid"})
    assert (claims.audience, claims.organization_id, claims.expires_at) == ("", None, NOW + 1)


# Logout tokens


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        pytest.param({"events": ...}, "events", id="events-missing"),
        pytest.param({"events": None}, "events", id="events-null"),
        pytest.param({"events": []}, "events", id="events-list"),
        pytest.param({"events": LOGOUT_EVENT}, "events", id="events-text"),
        pytest.param({"events": {}}, "events", id="events-empty"),
        pytest.param({"events": {LOGOUT_EVENT + "/x": {}}}, "events", id="events-other"),
        pytest.param({"events": {LOGOUT_EVENT: None}}, "events", id="event-null"),
        pytest.param({"events": {LOGOUT_EVENT: True}}, "events", id="event-true"),
        pytest.param({"events": {LOGOUT_EVENT: []}}, "events", id="event-list"),
        pytest.param({"nonce": "n"}, "nonce", id="nonce"),
        pytest.param({"nonce": None}, "nonce", id="nonce-null"),
        pytest.param({"sub": ..., "sid": ...}, "sub", id="neither-sub-nor-sid"),
        pytest.param({"sub": None, "sid": None}, "sub", id="sub-and-sid-null"),
        pytest.param({"jti": ...}, "jti", id="jti-missing"),
        pytest.param({"jti": None}, "jti", id="jti-null"),
    ],
)
def test_logout_token_with_a_wrong_claim_is_refused(changes: dict[str, Any], claim: str) -> None:
    LOGOUT.refuses(LOGOUT.token(changes), claim)


@pytest.mark.parametrize("value", rows(NOT_AN_ID))
@pytest.mark.parametrize("claim", ["sub", "sid", "jti"])
def test_id_in_a_logout_token_of_another_form_is_refused(claim: str, value: Any) -> None:
    LOGOUT.refuses(LOGOUT.token({claim: value}), claim)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, (SUB, "s"), id="both"),
        pytest.param({"sid": ...}, (SUB, None), id="only-sub"),
        pytest.param({"sub": ...}, (None, "s"), id="only-sid"),
        pytest.param({"events": {LOGOUT_EVENT: {"x": 1}, "other": {}}}, (SUB, "s"), id="more-events"),
    ],
)
def test_claims_of_a_logout_token(changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    claims = LOGOUT.validate(LOGOUT.token(changes))
    assert (claims.sub, claims.sid) == expected
    assert (claims.issuer, claims.jti, claims.issued_at.timestamp()) == (ISSUER, "j", NOW)
    assert claims.max_age_seconds == 120 + 2 * LEEWAY


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", ...], ids=["logout", "jwt", "missing"])
def test_type_of_a_logout_token_may_be_optional(typ: Any) -> None:
    header, payload = changed({"alg": "ES384", "kid": "ec"}, {"typ": typ}), LOGOUT.claims
    token = jwt.PyJWS().encode(json.dumps(payload).encode(), EC_KEY, "ES384", headers={"typ": None, **header})
    assert LOGOUT.validate(token, types={"logout+jwt", "jwt", None})

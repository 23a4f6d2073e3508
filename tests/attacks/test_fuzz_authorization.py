"""Anything at all in the `Authorization` header, signed by Logto or not: never a 500, and never a view that has run."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey

from logto_auth.emulator import Emulator
from tests.api import attacked_urls
from tests.api.attackers import Door, TokenMaker, challenge_of

pytestmark = pytest.mark.django_db

bounded = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    # The database and the emulator stay as they are from one example to the next: nothing is ever written.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

EVIL_KEY = ECKey.generate_key("P-384")
EVIL_SECRET = OctKey.import_key(b"k" * 32)
DOORS = st.integers(0, len(attacked_urls.BOOKS) - 1)

# What a server hands on is latin-1 (PEP 3333).
latin_1 = st.text(st.characters(max_codepoint=255), max_size=200)
token_characters = st.text("ABCDEFabcdef0123456789-._~+/=", max_size=200)
schemes = st.sampled_from(
    ["Bearer", "bearer", "BEARER", "Bearer ", "Bearer\t", " Bearer", "Basic", "Token", "", "Bear"]
)
separators = st.sampled_from([" ", "  ", "", "\t", ",", ", ", "=", ":", "\x00", "\xa0", "\r\n", ";", '"'])
pieces = schemes | separators | token_characters | latin_1 | st.just("{token}")
headers = latin_1 | st.lists(pieces, max_size=7).map("".join)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
# What JSON can say and a database or an encoding may choke on.
odd_values = st.sampled_from(["\x00", "\ud800", "x" * 300, "", 1e308, -1, 10**400, True, [], {}, [[]], {"a": "\ud800"}])
values = json_values | odd_values
claim_names = st.sampled_from(
    ["iss", "aud", "sub", "client_id", "scope", "iat", "exp", "nbf", "jti", "organization_id", "roles", "act", "extra"]
)
header_names = st.sampled_from(["typ", "alg", "kid", "crit", "b64", "zip", "jwk", "jku", "x5c", "x5u", "extra"])
algorithms = st.sampled_from(["ES384", "RS256", "HS256", "HS384", "none", "None", "ES256", "EdDSA", "dir"])
claims_strategy = st.dictionaries(claim_names, values, max_size=4)
header_strategy = st.dictionaries(header_names, values | algorithms, max_size=3)


@pytest.fixture
def statuses(doors: list[Door], caplog: Any) -> Callable[[int, str], int]:
    """The status of a call with a header, after making sure that it is answered as it should be, and told to nobody."""

    def status(door: int, header: str) -> int:
        del attacked_urls.ran[:]
        caplog.clear()
        response = doors[door].call(None, Authorization=header)
        assert response.status_code in (200, 400, 401, 403), caplog.text
        assert (len(attacked_urls.ran) == 1) is (response.status_code == 200)
        assert not response.cookies
        told = f"{response.headers}{response.content.decode()}{caplog.text}"
        assert "Traceback" not in told
        secrets = [word for word in header.replace(",", " ").split() for word in (word, *word.split("."))]
        assert [secret for secret in secrets if len(secret) > 24 and secret in told] == []
        if response.status_code != 200:
            expected = {400: "invalid_request", 401: "invalid_token", 403: "insufficient_scope"}[response.status_code]
            assert challenge_of(response).get("error", "none") in (expected, "none")
        return int(response.status_code)

    return status


@bounded
@given(door=DOORS, header=headers)
@example(door=0, header="Bearer {token},Bearer {token}")
@example(door=3, header="Bearer \x85{token}")
@example(door=4, header="\xa0Bearer {token}")
def test_any_header(statuses: Callable[[int, str], int], token: TokenMaker, door: int, header: str) -> None:
    good = token()
    filled = header.replace("{token}", good)
    scheme, _, rest = filled.strip(" \t").partition(" ")
    is_good = scheme.lower() == "bearer" and rest.strip(" ") == good
    assert (statuses(door, filled) == 200) is is_good


@bounded
@given(door=DOORS, data=st.data())
def test_any_alteration_of_a_good_token(
    statuses: Callable[[int, str], int], token: TokenMaker, door: int, data: Any
) -> None:
    good = token()
    assert statuses(door, f"Bearer {good}") == 200
    position = data.draw(st.integers(0, len(good)))
    length = data.draw(st.sampled_from([0, 1, 1, 2, 20, 400]))
    piece = data.draw(st.text("ABCDwxyz0123-_.=~+/", max_size=3) | st.sampled_from([good, "AAAA", "..", "eyJ"]))
    altered = good[:position] + piece + good[position + length :]
    assume(altered != good)
    assert statuses(door, f"Bearer {altered}") in (400, 401)


@bounded
@given(door=DOORS, order=st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_any_mixture_of_the_parts_of_two_good_tokens(
    statuses: Callable[[int, str], int], token: TokenMaker, door: int, order: list[int]
) -> None:
    first, second = token(), token(scope="everything")
    parts = [*first.split("."), *second.split(".")]
    mixed = ".".join(parts[number] for number in order)
    assume(mixed not in (first, second))
    assert statuses(door, f"Bearer {mixed}") == 401


@bounded
@given(
    door=DOORS,
    claims=claims_strategy,
    header=header_strategy,
    key=st.sampled_from([EVIL_KEY, EVIL_SECRET]),
    has_kid=st.booleans(),
)
def test_any_token_that_somebody_else_has_signed(
    statuses: Callable[[int, str], int],
    token: TokenMaker,
    logto: Emulator,
    door: int,
    claims: dict[str, Any],
    header: dict[str, Any],
    key: Any,
    has_kid: bool,
) -> None:
    kid = {"kid": logto.keys.current.kid} if has_kid else {}
    made = signed(token, claims, {**kid, **header}, key)
    assert statuses(door, f"Bearer {made}") in (400, 401)


@bounded
@given(door=DOORS, claims=claims_strategy, header=header_strategy, signature=st.binary(max_size=120))
def test_any_token_with_any_signature(
    statuses: Callable[[int, str], int],
    token: TokenMaker,
    logto: Emulator,
    door: int,
    claims: dict[str, Any],
    header: dict[str, Any],
    signature: bytes,
) -> None:
    full_header = {"alg": "ES384", "typ": "at+jwt", "kid": logto.keys.current.kid, **header}
    parts = [json.dumps(full_header).encode(), json.dumps({**token.claims(), **claims}).encode(), signature]
    made = ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    assert statuses(door, f"Bearer {made}") == 401


@bounded
@given(door=DOORS, claims=claims_strategy, header=header_strategy)
@example(door=0, claims={"organization_id": "\ud800"}, header={})
@example(door=1, claims={"aud": "urn:logto:organization:\ud800"}, header={})
@example(door=2, claims={"sub": "\x00"}, header={})
@example(door=3, claims={"scope": "\ud800"}, header={})
@example(door=4, claims={"roles": ["\ud800", {}, None]}, header={})
@example(door=5, claims={}, header={"kid": "\ud800"})
def test_any_token_that_logto_itself_has_signed(
    statuses: Callable[[int, str], int],
    token: TokenMaker,
    door: int,
    claims: dict[str, Any],
    header: dict[str, Any],
) -> None:
    status = statuses(door, f"Bearer {signed(token, claims, header, None)}")
    changed = {name for name in claims if name not in ("jti", "nbf", "roles", "act", "extra", "organization_id")}
    if not changed and not {"organization_id", "nbf"} & claims.keys() and header.keys() <= {"extra", "zip"}:
        assert status == 200
    elif status == 200:
        # Of what decides, only a null or a right one goes through.
        assert not changed & {"iss", "aud", "sub", "client_id", "scope"}


def signed(token: TokenMaker, claims: dict[str, Any], header: dict[str, Any], key: Any) -> str:
    """The token; one without a form of its own where nobody could write such a header."""
    try:
        # In ASCII, so that half a surrogate pair gets through, as in anybody else's JSON.
        return token.sign(json.dumps({**token.claims(), **claims}), header, key)
    except UnicodeEncodeError:
        return "no.such.token"

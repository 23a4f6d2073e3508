"""Random `Authorization` headers: never a 500, and no view runs unless the token is valid."""

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
    max_examples=75,
    deadline=None,
    derandomize=True,
    database=None,
    # The fixtures can be shared by all examples: no example changes the database or the emulator.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

EVIL_KEY = ECKey.generate_key("P-384")
UNSIGNABLE = "no.such.token"
EVIL_SECRET = OctKey.import_key(b"k" * 32)
DOORS = st.integers(0, len(attacked_urls.BOOKS) - 1)

# WSGI servers decode headers as latin-1 (PEP 3333).
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
# Valid JSON that a database or an encoding may not accept.
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
    """Return a function that calls an API with a header, checks response and log, and returns the status."""

    def status(door: int, header: str) -> int:
        del attacked_urls.ran[:]
        caplog.clear()
        response = doors[door].call(None, Authorization=header)
        assert response.status_code in (200, 400, 401, 403), caplog.text
        assert (len(attacked_urls.ran) == 1) is (response.status_code == 200)
        assert not response.cookies
        shown = f"{response.headers}{response.content.decode()}{caplog.text}"
        assert "Traceback" not in shown
        secrets = [word for word in header.replace(",", " ").split() for word in (word, *word.split("."))]
        assert [secret for secret in secrets if len(secret) > 24 and secret in shown] == []
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
def test_only_well_formed_header_is_accepted(
    statuses: Callable[[int, str], int], token: TokenMaker, door: int, header: str
) -> None:
    good = token()
    filled = header.replace("{token}", good)
    scheme, _, rest = filled.strip(" \t").partition(" ")
    is_good = scheme.lower() == "bearer" and rest.strip(" ") == good
    assert (statuses(door, filled) == 200) is is_good


@bounded
@given(door=DOORS, data=st.data())
def test_altered_token_is_refused(statuses: Callable[[int, str], int], token: TokenMaker, door: int, data: Any) -> None:
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
def test_mixed_parts_of_tokens_are_refused(
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
def test_token_of_another_signer_is_refused(
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
def test_token_with_random_signature_is_refused(
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
def test_signed_token_with_odd_claims_never_fails(
    statuses: Callable[[int, str], int],
    token: TokenMaker,
    door: int,
    claims: dict[str, Any],
    header: dict[str, Any],
) -> None:
    made = signed(token, claims, header, None)
    status = statuses(door, f"Bearer {made}")
    if made == UNSIGNABLE:
        assert status == 401
        return
    changed = {name for name in claims if name not in ("jti", "nbf", "roles", "act", "extra", "organization_id")}
    if not changed and not {"organization_id", "nbf"} & claims.keys() and header.keys() <= {"extra", "zip"}:
        assert status == 200
    elif status == 200:
        # A changed claim that is required is accepted only if it is null or correct.
        assert not changed & {"iss", "aud", "sub", "client_id", "scope"}


def signed(token: TokenMaker, claims: dict[str, Any], header: dict[str, Any], key: Any) -> str:
    """Return the signed token, or an invalid one if the header cannot be encoded."""
    try:
        # Escaped as ASCII, so that half of a surrogate pair can be sent.
        return token.sign(json.dumps({**token.claims(), **claims}), header, key)
    except UnicodeEncodeError:
        return UNSIGNABLE

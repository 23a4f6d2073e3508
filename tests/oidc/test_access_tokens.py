"""Access tokens: the cache of verified tokens. The rules are in `test_claim_matrix.py`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from freezegun import freeze_time

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.oidc.access_tokens import AccessTokenVerifier, check_introspection, validate_access_token
from logto_auth.oidc.errors import ProviderUnreachable, TokenError
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.jwks import KeySet, RemoteKeySet
from logto_auth.oidc.provider import Provider
from logto_auth.oidc.types import AccessTokenClaims
from tests.oidc.signing import ALGORITHMS, CLIENT_ID, EC_KEY, ISSUER, KEYS, NOW, jwk, sign
from tests.recorded import recording

API = "https://bookstore.example/api"
USER_ID = "hodngok08qve"


def good_claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of an access token of Logto with `changes`; the value `...` removes a claim."""
    claims = {
        "jti": "wmIOYXBGgqVPuFwcS5h8_",
        "sub": USER_ID,
        "iat": NOW,
        "exp": NOW + 3600,
        "scope": "read:books write:books",
        "client_id": CLIENT_ID,
        "iss": ISSUER,
        "aud": API,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def validate(token: str, keys: KeySet = KEYS, now: float = NOW) -> AccessTokenClaims:
    return validate_access_token(token, keys=keys, algorithms=ALGORITHMS, issuer=ISSUER, leeway_seconds=60, now=now)


def refused(token: str, claim: str, **changes: Any) -> None:
    with pytest.raises(TokenError) as caught:
        validate(token, **changes)
    assert caught.value.claim == claim
    assert token not in str(caught.value)


def test_custom_claims_are_kept_and_read_only() -> None:
    claims = validate(sign(good_claims(roles=["editor"], tier={"level": 2}), {"typ": "at+jwt"}))
    assert (claims.claims["roles"], claims.claims["tier"]) == (["editor"], {"level": 2})
    with pytest.raises(TypeError):
        claims.claims["roles"] = ["admin"]  # type: ignore[index]
    assert "editor" not in repr(claims)


def test_introspected_refresh_token_is_refused() -> None:
    with pytest.raises(TokenError) as caught:
        check_introspection(recording("introspection_refresh")["body"], issuer=ISSUER, now=NOW)
    assert caught.value.claim == "token_type"


# The verifier, with keys from the network


def verifier(
    logto: Emulator, *, cache_size: int = 100, issuer: str | None = None, keys: RemoteKeySet | None = None
) -> AccessTokenVerifier:
    http = HTTPClient(connect_seconds=1, total_seconds=5)
    return AccessTokenVerifier(
        issuer=issuer or logto.issuer,
        keys=keys or Provider(issuer=logto.issuer, algorithms=ALGORITHMS, http=http).keys,
        algorithms=ALGORITHMS,
        leeway_seconds=60,
        cache_size=cache_size,
    )


Sign = Callable[..., str]


@pytest.fixture
def signed(logto: Emulator) -> Sign:
    """Return a function that makes an access token of the emulator, issued at the time of the call."""

    def signed(header: dict[str, Any] | None = None, **changes: Any) -> str:
        now = logto.clock.now()
        claims = good_claims(iss=logto.issuer, iat=now, exp=now + 3600, **changes)
        return logto.sign(claims, header={"typ": "at+jwt", **(header or {})})

    return signed


def test_verifier_accepts_real_tokens(logto: Emulator) -> None:
    logto.faults.jwks = lambda document: recording("jwks_after_rotation")["body"]
    with freeze_time(datetime.fromtimestamp(NOW, tz=timezone.utc)):
        real = verifier(logto, issuer=ISSUER)
        for_api = recording("refresh_for_resource")["body"]["access_token"]
        for_organization = recording("refresh_for_organization")["body"]["access_token"]
        within = recording("refresh_for_organization_resource")["body"]["access_token"]
        assert real.verify_for_resource(for_api, API).organization_id is None
        assert real.verify_for_resource(within, API).organization_id == "i138uqcgact4"
        assert real.verify_for_organization(for_organization).organization_id == "i138uqcgact4"
        assert len(logto.requests.to("jwks")) == 1


OTHER_AUDIENCES = [
    "https://other.example",
    "https://bookstore.example",
    API + "/",
    API + "/v2",
    API + "?",
    API + "\x00",
    " " + API,
    API[:-1],
    API.upper(),
    API.replace("https", "http"),
    API.replace("example", "ex\u0430mple"),
]


@pytest.mark.parametrize("cache_size", [0, 100])
def test_token_is_valid_for_its_own_audience_only(logto: Emulator, signed: Sign, cache_size: int) -> None:
    real = verifier(logto, cache_size=cache_size)
    for_api, for_organization = signed(), signed(aud="urn:logto:organization:harbourbr001")
    for _ in range(2):
        assert real.verify_for_resource(for_api, API).sub == USER_ID
        assert real.verify_for_organization(for_organization).organization_id == "harbourbr001"
        for other in OTHER_AUDIENCES:
            with pytest.raises(TokenError, match="Ask Logto for one with that resource") as caught:
                real.verify_for_resource(for_api, other)
            assert caught.value.claim == "aud"
        with pytest.raises(TokenError, match="expected an organization"):
            real.verify_for_organization(for_api)
        with pytest.raises(TokenError, match="for 'urn:logto:organization:harbourbr001'"):
            real.verify_for_resource(for_organization, API)


@pytest.mark.parametrize(
    "audience",
    [
        "urn:logto:organization",
        "URN:LOGTO:ORGANIZATION:harbour00001",
        "urn:logto:organizations:harbour00001",
        "urn:logto:resource:organizations",
        " urn:logto:organization:harbour00001",
        "harbour00001",
    ],
)
def test_similar_audience_is_no_organization(logto: Emulator, signed: Sign, audience: str) -> None:
    with pytest.raises(TokenError) as caught:
        verifier(logto).verify_for_organization(signed(aud=audience, organization_id="harbour00001"))
    assert caught.value.claim == "aud"


@pytest.mark.parametrize("token", ["OgAJnoEaRtrNhWgN_i8OaSirpFToDN2B4VLqT9vve57", "x", ""])
def test_opaque_token_is_refused_with_a_remedy(logto: Emulator, token: str) -> None:
    with pytest.raises(TokenError, match="send resource with the authorization request"):
        verifier(logto).verify_for_resource(token, API)
    assert len(logto.requests) == 0


@pytest.mark.parametrize("token", ["\ud800.x.y", "..", "a.b.c", "é.é.é", "x." * 200_000])
def test_malformed_token_raises_token_error(logto: Emulator, token: str) -> None:
    with pytest.raises(TokenError):
        verifier(logto).verify_for_resource(token, API)


def test_cached_keys_need_no_request(logto: Emulator, signed: Sign) -> None:
    real = verifier(logto, cache_size=2)
    real.verify_for_resource(signed(), API)
    assert [request.endpoint for request in logto.requests] == ["discovery", "jwks"]
    logto.requests.clear()
    for number in range(20):
        real.verify_for_resource(signed(jti=str(number)), API)
    assert len(logto.requests) == 0


def test_missing_keys_raise_provider_unreachable(logto: Emulator, signed: Sign) -> None:
    logto.faults.http["jwks"] = HttpFault(drop=True)
    with pytest.raises(ProviderUnreachable):
        verifier(logto).verify_for_resource(signed(), API)


def test_stale_keys_verify_tokens_during_an_outage(logto: Emulator, signed: Sign) -> None:
    keys = RemoteKeySet(
        HTTPClient(connect_seconds=1, total_seconds=5),
        lambda: f"{logto.endpoint}/oidc/jwks",
        algorithms=ALGORITHMS,
        max_age_seconds=0,
        cool_down_seconds=30,
    )
    real = verifier(logto, keys=keys)
    real.verify_for_resource(signed(), API)
    logto.faults.http["jwks"] = HttpFault(drop=True)
    logto.requests.clear()
    for number in range(5):
        assert real.verify_for_resource(signed(jti=str(number)), API).sub == USER_ID
    # A failed request is repeated once, and then not again before the cool-down.
    assert len(logto.requests.to("jwks")) == 2


# The cache


def test_remembered_token_is_not_verified_again(logto: Emulator, signed: Sign) -> None:
    real, token = verifier(logto), signed()
    assert real.verify_for_resource(token, API) is real.verify_for_resource(token, API)


def test_cache_size_zero_remembers_nothing(logto: Emulator, signed: Sign) -> None:
    real, token = verifier(logto, cache_size=0), signed()
    assert real.verify_for_resource(token, API) is not real.verify_for_resource(token, API)


def test_cache_is_limited_and_drops_the_oldest(logto: Emulator, signed: Sign) -> None:
    real = verifier(logto, cache_size=3)
    tokens = [signed(jti=str(number)) for number in range(8)]
    first = [real.verify_for_resource(token, API) for token in tokens]
    # From the last one backwards, because a token that is verified again removes another one.
    assert [real.verify_for_resource(tokens[i], API) is first[i] for i in (7, 6, 5)] == [True] * 3
    assert real.verify_for_resource(tokens[4], API) is not first[4]


def test_refused_tokens_do_not_fill_the_cache(logto: Emulator, signed: Sign) -> None:
    real, token = verifier(logto, cache_size=1), signed()
    known = real.verify_for_resource(token, API)
    for junk in (token[:-4] + "AAAA", signed(header={"typ": "JWT"}), signed(sub=...), "opaque"):
        with pytest.raises(TokenError):
            real.verify_for_resource(junk, API)
    assert real.verify_for_resource(token, API) is known


def test_token_is_remembered_until_exp_without_leeway(logto: Emulator, signed: Sign) -> None:
    with freeze_time(datetime.fromtimestamp(NOW, tz=timezone.utc)) as moment:
        real, token = verifier(logto), signed()
        known = real.verify_for_resource(token, API)
        moment.tick(3599)
        assert real.verify_for_resource(token, API) is known
        moment.tick(1)
        assert real.verify_for_resource(token, API) is not known, "clocks may differ, but the token is verified again"
        moment.tick(60)
        with pytest.raises(TokenError) as caught:
            real.verify_for_resource(token, API)
        assert caught.value.claim == "exp"


def test_new_key_is_found_and_removed_key_rejected(logto: Emulator, signed: Sign) -> None:
    real, token = verifier(logto), signed()
    known = real.verify_for_resource(token, API)
    new_key = jwk(EC_KEY, "new", alg="ES384")
    logto.faults.jwks = lambda document: {"keys": [new_key]}
    assert real.verify_for_resource(token, API) is known, "until a token with the new key arrives"
    now = logto.clock.now()
    new_token = sign(good_claims(iss=logto.issuer, iat=now, exp=now + 60), {"kid": "new", "typ": "at+jwt"})
    assert real.verify_for_resource(new_token, API).sub == USER_ID
    assert len(logto.requests.to("jwks")) == 2
    with pytest.raises(TokenError) as caught:
        real.verify_for_resource(token, API)
    assert caught.value.claim == "kid"


def test_threads_share_one_verifier(logto: Emulator, signed: Sign) -> None:
    real = verifier(logto, cache_size=5)
    tokens = [signed(jti=str(number), sub=f"user{number}") for number in range(12)]
    seen: list[bool] = []

    def call() -> None:
        for number, token in enumerate(tokens * 4):
            seen.append(real.verify_for_resource(token, API).sub == f"user{number % 12}")

    threads = [threading.Thread(target=call) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * (6 * 48)
    assert len(logto.requests.to("jwks")) == 1

"""Tokens of real Logtos: 1.41, and 1.42, whose ID tokens have neither `typ` nor `at_hash`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from freezegun import freeze_time

from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.discovery import parse_metadata
from logto_auth.oidc.errors import ProviderError, TokenError
from logto_auth.oidc.http import HTTPClient, Response
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.provider import Provider
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_exchange import ExchangedToken, TokenExchange
from tests.oidc.kinds import ACCESS, ID, LOGOUT, Kind
from tests.oidc.signing import ALGORITHMS, ISSUER
from tests.recorded import VERSIONS, recording

APIS = {"1.41": "https://bookstore.example/api", "1.42": "https://r3-bookstore.example/api"}


@dataclass(frozen=True)
class Recorded:
    """The tokens of one version, and the claims that belong to them."""

    version: str

    def read(self, name: str) -> Any:
        return recording(name, self.version)

    def keys(self, name: str = "jwks_after_rotation") -> KeySet:
        return KeySet.parse(self.read(name)["body"], ALGORITHMS)

    def access_token(self, name: str) -> str:
        return self.read(name)["body"]["access_token"]

    @cached_property
    def id_token(self) -> str:
        return self.read("token_authorization_code")["body"]["id_token"]

    @cached_property
    def logout_token(self) -> str:
        return self.read("backchannel_logout_requests")[0]["body"].removeprefix("logout_token=")

    @cached_property
    def logout_claims(self) -> dict[str, Any]:
        return self.read("logout_token_decoded")["claims"]

    @cached_property
    def client_id(self) -> str:
        return self.logout_claims["aud"]

    @cached_property
    def issued_at(self) -> int:
        return self.read("id_token_decoded")["claims"]["iat"]

    def id_arguments(self, **changes: Any) -> dict[str, Any]:
        access_token = Secret(self.access_token("token_authorization_code"))
        arguments = {"client_id": self.client_id, "access_token": access_token, "now": self.issued_at}
        return {**arguments, **changes}

    def logout_arguments(self, **changes: Any) -> dict[str, Any]:
        return {"client_id": self.client_id, "now": self.logout_claims["iat"], **changes}


@pytest.fixture(params=VERSIONS)
def recorded(request: pytest.FixtureRequest) -> Recorded:
    return Recorded(request.param)


# Discovery


def test_discovery_is_accepted(recorded: Recorded) -> None:
    document = recorded.read("discovery")["body"]
    assert ("request_parameter_supported" in document) == (recorded.version == "1.41")
    assert parse_metadata(document, Addresses(ISSUER)).issuer == ISSUER


# ID tokens


@pytest.mark.parametrize("jwks", ["jwks_before_rotation", "jwks_after_rotation"])
def test_id_token_is_accepted_before_and_after_rotation(recorded: Recorded, jwks: str) -> None:
    claims = ID.validate(recorded.id_token, recorded.keys(jwks), **recorded.id_arguments())
    assert ("at_hash" in claims) == (recorded.version == "1.41")
    changing = ("at_hash", "updated_at", "created_at", "iat", "exp")
    assert dict(claims) == {
        **recorded.read("id_token_decoded")["claims"],
        **{name: claims[name] for name in changing if name in claims},
    }


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        ("exp", {"later": 3600 + 60}),
        ("aud", {"client_id": "other"}),
        ("iss", {"issuer": ISSUER + "/"}),
        ("nonce", {"nonce": "m"}),
    ],
)
def test_id_token_with_one_mismatch_is_refused(recorded: Recorded, claim: str, changes: dict[str, Any]) -> None:
    changes = dict(changes)
    now = recorded.issued_at + changes.pop("later", 0)
    ID.refuses(recorded.id_token, claim, recorded.keys(), **recorded.id_arguments(now=now, **changes))


def test_another_access_token_is_noticed_if_there_is_at_hash() -> None:
    old, new = Recorded("1.41"), Recorded("1.42")
    ID.refuses(old.id_token, "at_hash", old.keys(), **old.id_arguments(access_token=Secret("x")))
    assert ID.validate(new.id_token, new.keys(), **new.id_arguments(access_token=Secret("x")))


# Access tokens


@pytest.mark.parametrize("jwks", ["jwks_before_rotation", "jwks_after_rotation"])
@pytest.mark.parametrize(
    ("name", "decoded"),
    [
        ("refresh_for_resource", "resource_access_token_decoded"),
        ("refresh_for_organization", "organization_token_decoded"),
        ("refresh_for_organization_resource", "organization_resource_token_decoded"),
        ("m2m_token", "m2m_token_decoded"),
    ],
)
def test_access_token_is_accepted_until_it_expires(recorded: Recorded, name: str, decoded: str, jwks: str) -> None:
    token, keys, expected = recorded.access_token(name), recorded.keys(jwks), recorded.read(decoded)["claims"]
    claims = ACCESS.validate(token, keys, now=expected["iat"])
    assert dict(claims.claims) == expected
    organization_id = expected["aud"].partition("urn:logto:organization:")[2] or expected.get("organization_id")
    assert (claims.audience, claims.organization_id) == (expected["aud"], organization_id)
    assert (claims.sub, claims.client_id) == (expected["sub"], expected["client_id"])
    assert claims.scopes == set(expected["scope"].split())
    assert claims.is_organization_token == (name == "refresh_for_organization")
    assert claims.is_machine == (name == "m2m_token")
    ACCESS.refuses(token, "exp", keys, now=expected["exp"] + 60)
    ACCESS.refuses(token, "iat", keys, now=expected["iat"] - 61)


# Logout tokens


def test_logout_token_is_accepted(recorded: Recorded) -> None:
    claims = LOGOUT.validate(recorded.logout_token, recorded.keys(), **recorded.logout_arguments())
    expected = recorded.logout_claims
    assert ("exp" in expected) == (recorded.version == "1.42")
    assert (claims.sub, claims.sid, claims.jti) == (expected["sub"], expected["sid"], expected["jti"])
    assert len(claims.sid) == len(claims.jti) == {"1.41": 21, "1.42": 43}[recorded.version]


def test_late_logout_token_is_refused(recorded: Recorded) -> None:
    late = recorded.logout_arguments(now=recorded.logout_claims["iat"] + 181)
    LOGOUT.refuses(recorded.logout_token, "iat", recorded.keys(), **late)


# No token is accepted as another kind


@pytest.mark.parametrize(
    ("kind", "others"),
    [(ID, ("access", "logout")), (ACCESS, ("id", "logout")), (LOGOUT, ("id", "access"))],
    ids=["id", "access", "logout"],
)
def test_no_other_kind_is_accepted(recorded: Recorded, kind: Kind, others: tuple[str, ...]) -> None:
    tokens = {
        "id": recorded.id_token,
        "access": recorded.access_token("refresh_for_resource"),
        "logout": recorded.logout_token,
    }
    arguments = {} if kind is ACCESS else {"client_id": recorded.client_id}
    for other in others:
        kind.refuses(tokens[other], "typ", recorded.keys(), now=recorded.issued_at, **arguments)


def test_id_token_without_typ_is_no_logout_token_if_types_are_optional(recorded: Recorded) -> None:
    optional = {"logout+jwt", "jwt", None}
    LOGOUT.refuses(recorded.id_token, "events", recorded.keys(), **recorded.logout_arguments(types=optional))


# Token exchange


class RecordedLogto:
    """Logto 1.42 in place of an HTTPClient: the recorded metadata and keys, and one recorded token response."""

    def __init__(self, name: str) -> None:
        self.exchange = recording(f"tokens/{name}", "1.42")
        self.sent: dict[str, str] = {}

    def get(self, url: str) -> Response:
        name = "discovery" if url.endswith("openid-configuration") else "jwks"
        return Response(200, {}, json.dumps(recording(name, "1.42")["body"]).encode(), url)

    def post_form(self, url: str, data: Mapping[str, str | Secret], **options: Any) -> Response:
        self.sent = {name: value.reveal() if isinstance(value, Secret) else value for name, value in data.items()}
        return Response(self.exchange["status"], {}, json.dumps(self.exchange["body"]).encode(), url)

    def request(self) -> dict[str, str]:
        return dict(parse_qsl(self.exchange["request"]["body"]))

    def exchanged(self) -> ExchangedToken:
        """Send the recorded request through the client and return the result."""
        provider = Provider(issuer=ISSUER, algorithms=ALGORITHMS, http=cast("HTTPClient", self))
        client = TokenExchange(
            provider, client_id=EXCHANGER, client_secret=Secret("secret"), leeway_seconds=60, revocation_seconds=0
        )
        request = self.request()
        methods = {"sub_": client.exchange_subject_token, "pat_": client.exchange_personal_access_token}
        method = methods.get(request["subject_token"][:4], client.exchange_access_token)
        return method(
            request["subject_token"],
            resource=request.get("resource"),
            organization_id=request.get("organization_id"),
            scopes=request.get("scope", "").split(),
            actor_token=request.get("actor_token"),
        )


EXCHANGER = "3ysukjw9m1mknxac29j7b"


@pytest.mark.parametrize(
    "name",
    [
        "exchange_impersonation",
        "exchange_organization",
        "exchange_with_actor",
        "exchange_personal_access_token",
        "exchange_personal_access_token_opaque",
        "exchange_opaque_access_token",
        "exchange_jwt_access_token",
    ],
)
def test_exchange_sends_and_accepts_what_logto_recorded(name: str) -> None:
    logto = RecordedLogto(name)
    with freeze_time(datetime.fromtimestamp(1_795_883_830, tz=timezone.utc)):
        token = logto.exchanged()
    assert logto.sent == logto.request()
    body = logto.exchange["body"]
    assert token.access_token.reveal() == body["access_token"]
    assert token.scopes == set(body["scope"].split())
    assert (token.claims is None) == name.endswith("opaque")
    assert token.actor_sub == ("of936e6twivh" if name == "exchange_with_actor" else None)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("exchange_not_allowed", "Allow token exchange"),
        ("exchange_personal_access_token_not_allowed", "Allow token exchange"),
        ("exchange_subject_token_consumed", "already used"),
        ("exchange_suspended_user", "suspended"),
        ("exchange_personal_access_token_deleted", "deleted or expired"),
        ("exchange_third_party_token", "third-party application"),
        ("exchange_bad_actor", "actor token has expired"),
        ("exchange_unknown_organization", "not a member of the organization"),
        ("exchange_unknown_resource", "Create the API resource at Logto"),
    ],
)
def test_refused_exchange_says_what_logto_does_not(name: str, text: str) -> None:
    with pytest.raises((ProviderError, TokenError), match=text) as caught:
        RecordedLogto(name).exchanged()
    assert isinstance(caught.value, TokenError) == (RecordedLogto(name).exchange["body"]["error"] == "invalid_grant")

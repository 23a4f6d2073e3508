"""Each kind of key that Logto can sign with: ID tokens, access tokens and logout tokens, by the default settings."""

from __future__ import annotations

import time
from typing import Any

import pytest
from joserfc.jwk import ECKey
from jwt import PyJWS

from logto_auth.clients import access_token_verifier, oidc_client
from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.exceptions import TokenError
from logto_auth.models import LogtoSession
from logto_auth.oidc.jwks import KeySet
from logto_auth.oidc.logout_tokens import LOGOUT_EVENT
from logto_auth.testing import Browser
from tests.support import row_of

pytestmark = pytest.mark.django_db

API = "https://api.example"
KINDS = [
    pytest.param({"curve": "P-256"}, "ES256", id="P-256"),
    pytest.param({"curve": "P-384"}, "ES384", id="P-384"),
    pytest.param({"curve": "P-521"}, "ES512", id="P-521"),
    pytest.param({"algorithm": "RSA"}, "RS256", id="RSA"),
]


@pytest.fixture(autouse=True)
def logto_head(logto: Emulator) -> None:
    """Logto 1.42 cannot sign with every curve."""
    logto.like = "head"


@pytest.mark.parametrize(("kind", "alg"), KINDS)
def test_tokens_of_each_kind_of_key_are_accepted(
    browser: Browser, logto: Emulator, settings: Any, kind: dict[str, Any], alg: str
) -> None:
    logto.rotate_keys(**kind)
    logto.tenant.add_user(username="reader", id="reader000001")
    logto.tenant.add_resource(API)
    settings.LOGTO_RESOURCES = [API]
    assert browser.sign_in("reader").status_code == 302
    assert header_alg(row_of(browser).tokens["id_token"]) == alg

    access_token = browser.client.get("/").wsgi_request.logto.access_token(API)
    assert header_alg(access_token) == alg
    assert access_token_verifier().verify_for_resource(access_token, API).sub == "reader000001"

    logout_token = logto.sign(
        {
            "iss": logto.issuer,
            "aud": conf.app_id,
            "sub": "reader000001",
            "iat": int(time.time()),
            "jti": f"jti-{time.time_ns()}",
            "events": {LOGOUT_EVENT: {}},
        },
        header={"typ": "logout+jwt"},
    )
    assert header_alg(logout_token) == alg
    assert browser.client.post("/back-channel-logout", {"logout_token": logout_token}).status_code == 200
    assert not LogtoSession.objects.exists()


def header_alg(token: str) -> str:
    alg: str = PyJWS().get_unverified_header(token)["alg"]
    return alg


@pytest.mark.parametrize(("kind", "alg"), KINDS)
def test_header_must_name_algorithm_of_key(logto: Emulator, kind: dict[str, Any], alg: str) -> None:
    """The signature is right and the header is not (RFC 8725, section 3.1)."""
    logto.rotate_keys(**kind)
    for claimed in {"ES256", "ES384", "ES512", "RS256"} - {alg}:
        token = logto.sign({"iss": logto.issuer}, header={"alg": claimed, "typ": "logout+jwt"})
        with pytest.raises(TokenError) as caught:
            oidc_client().validate_logout_token(token)
        assert caught.value.claim == "kid"


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
@pytest.mark.parametrize("declared", ["ES256", "ES384", "ES512", "RS256", "PS256", None])
def test_key_serves_algorithm_of_its_curve_only(curve: str, declared: str | None) -> None:
    of_curve = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[curve]
    entry = {**ECKey.generate_key(curve).as_dict(private=False), "kid": "k", "use": "sig", "alg": declared}
    keys = KeySet.parse({"keys": [entry]}, conf.signing_algorithms).keys
    assert [key.algorithm_name for key in keys] == ([of_curve] if declared in (None, of_curve) else [])

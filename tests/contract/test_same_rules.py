"""Rules of Logto, checked on the recordings and on the emulator."""

import hashlib
import re
from base64 import urlsafe_b64encode

import pytest
from joserfc import jwk, jws

from .exchanges import decoded, recorded
from .recorded_on_head import recorded_for
from .test_same_shape import TOKENS

OPAQUE = re.compile(r"[0-9A-Za-z_-]{43}")
_LENGTHS = {"1.41": 21, "1.42": 43, "head": 43}
UID = {version: re.compile(rf"[0-9A-Za-z_-]{{{length}}}") for version, length in _LENGTHS.items()}


@pytest.mark.parametrize("name", ["jwks_before_rotation", "jwks_after_rotation"])
def test_kid_is_rfc_7638_thumbprint(exchange, name):
    for key in exchange(name).body["keys"]:
        assert key["kid"] == jwk.thumbprint({member: key[member] for member in ("crv", "kty", "x", "y")})


@pytest.mark.parametrize("name", ["token_authorization_code", "refresh_1", "refresh_for_resource", "m2m_token"])
def test_signatures_verify_with_published_keys(exchange, name):
    body = exchange(name).body
    keys = jwk.KeySet.import_key_set(exchange("jwks_before_rotation").body)
    signed = [body[member] for member in ("id_token", "access_token") if body.get(member, "").count(".") == 2]
    assert signed
    for token in signed:
        jws.deserialize_compact(token, keys, algorithms=["ES384"])


@pytest.mark.parametrize("name", ["token_authorization_code", "refresh_1", "refresh_for_organization"])
def test_at_hash_is_half_of_sha384_on_1_41(exchange, version, name):
    body = exchange(name).body
    claims = decoded(body["id_token"])["claims"]
    if version != "1.41":
        assert "at_hash" not in claims
        return
    digest = hashlib.sha384(body["access_token"].encode()).digest()
    expected = urlsafe_b64encode(digest[:24]).decode()
    assert claims["at_hash"] == expected


def test_discovery_has_issuer_and_recorded_endpoints(exchange):
    answer = exchange("discovery")
    assert answer.body["issuer"] == answer.issuer
    assert not {"registration_endpoint", "acr_values_supported", "check_session_iframe"} & set(answer.body)
    for name, value in answer.body.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{answer.issuer}/")


def test_discovery_matches_recording_exactly(replay, version):
    ours, theirs = replay.discovery(), recorded("discovery", version=version)
    assert str(ours.body).replace(ours.issuer, theirs.issuer) == str(theirs.body)


@pytest.mark.parametrize("name", ["token_authorization_code", "token_no_prompt_consent", "refresh_1"])
def test_access_token_without_resource_is_opaque(exchange, name):
    assert OPAQUE.fullmatch(exchange(name).body["access_token"])


def test_no_refresh_token_without_prompt_consent(exchange):
    body = exchange("token_no_prompt_consent").body
    assert "refresh_token" not in body
    assert "offline_access" not in body["scope"].split(" ")


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        (
            "token_authorization_code",
            "openid profile email phone offline_access roles custom_data identities "
            "urn:logto:scope:organizations urn:logto:scope:organization_roles",
        ),
        (
            "refresh_1",
            "{0.scope}",
        ),
        ("refresh_for_resource", "read:books write:books"),
        ("refresh_for_organization", "{0.prefix}manage:inventory"),
        ("refresh_for_organization_resource", "read:books write:books"),
    ],
)
def test_response_scope_is_scope_of_access_token(exchange, names, name, scope):
    assert exchange(name).body["scope"] == scope.format(names)


@pytest.mark.parametrize("name", ["refresh_1", "refresh_for_resource", "refresh_after_logout"])
def test_refresh_always_returns_a_refresh_token(exchange, name):
    assert OPAQUE.fullmatch(exchange(name).body["refresh_token"])


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_have_type_and_one_audience_and_a_lifetime(token, version, name):
    decoded_token = token(name)
    header, claims = decoded_token["header"], decoded_token["claims"]
    is_id_token, is_logout_token = name == "id_token_decoded", name == "logout_token_decoded"
    assert header["alg"] == "ES384"
    if is_id_token and version != "1.41":
        assert list(header) == ["alg", "kid"]
    else:
        assert list(header) == ["alg", "typ", "kid"]
        assert header["typ"] == {"id_token_decoded": "JWT", "logout_token_decoded": "logout+jwt"}.get(name, "at+jwt")
    assert isinstance(claims["aud"], str)
    assert "nbf" not in claims
    if is_logout_token and version == "1.41":
        assert "exp" not in claims
    else:
        assert claims["exp"] - claims["iat"] == (120 if is_logout_token else 3600)


def test_id_token_has_nulls_and_milliseconds(token, version):
    claims = token("id_token_decoded")["claims"]
    assert claims["picture"] is None
    assert claims["phone_number"] is None
    assert claims["phone_number_verified"] is False
    assert claims["email_verified"] is True
    assert claims["created_at"] > 10**12
    assert claims["updated_at"] >= claims["created_at"]
    assert not {"auth_time", "amr", "acr", "azp", "jti", "custom_data", "identities"} & set(claims)
    assert UID[version].fullmatch(claims["sid"])


def test_audience_is_resource_or_organization(token, names):
    assert token("resource_access_token_decoded")["claims"]["aud"] == names.api
    assert "organization_id" not in token("resource_access_token_decoded")["claims"]
    organization = token("organization_token_decoded")["claims"]
    assert re.fullmatch(r"urn:logto:organization:[0-9a-z]{12}", organization["aud"])
    assert "organization_id" not in organization
    both = token("organization_resource_token_decoded")["claims"]
    assert both["aud"] == names.api
    assert re.fullmatch(r"[0-9a-z]{12}", both["organization_id"])


def test_machine_is_its_own_subject(token):
    claims = token("m2m_token_decoded")["claims"]
    assert claims["sub"] == claims["client_id"]


def test_logout_token_has_event_subject_and_session(token, version):
    claims = token("logout_token_decoded")["claims"]
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert UID[version].fullmatch(claims["sid"])
    assert UID[version].fullmatch(claims["jti"])
    assert "nonce" not in claims


def test_userinfo_has_more_claims_than_id_token(exchange, names):
    body = exchange("userinfo").body
    assert (body["custom_data"], body["identities"], body["sso_identities"]) == ({}, {}, [])
    assert body["organization_data"][0]["description"] is None
    assert body["organization_roles"] == [f"{body['organizations'][0]}:{names.of('manager')}"]


def test_userinfo_errors_have_the_realm(exchange):
    assert exchange("userinfo_bad_token").kept_headers["WWW-Authenticate"] == (
        'Bearer realm="<issuer>", error="invalid_token", error_description="invalid token provided"'
    )


def test_introspected_refresh_token_has_scope_and_lifetime(exchange):
    body = exchange("introspection_refresh").body
    assert body["exp"] - body["iat"] == 14 * 86400
    assert body["scope"] == "openid profile offline_access"
    assert "token_type" not in body


@pytest.mark.parametrize("name", ["callback_success", "callback_sso_no_prompt"])
def test_callback_has_code_state_and_issuer(exchange, name):
    answer = exchange(name)
    match = re.fullmatch(r"http://127\.0\.0\.1:9999/cb\?code=([^&]+)&state=st&iss=(.+)", answer.location)
    assert OPAQUE.fullmatch(match[1])
    assert match[2] == answer.issuer.replace(":", "%3A").replace("/", "%2F")


def test_sign_out_page_submits_itself(exchange):
    answer = exchange("session_end", 0)
    assert (answer.status, answer.kept_headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "document.getElementById('op.logoutForm').submit();" in answer.body
    assert f'<form id="op.logoutForm" method="post" action="{answer.issuer}/session/end/confirm">' in answer.body
    assert re.search(r'<input type="hidden" name="xsrf" value="[0-9a-f]{48}"/>', answer.body)
    assert '<input type="hidden" form="op.logoutForm" value="yes" name="logout" />' in answer.body


def test_confirm_step_redirects_to_relying_party(exchange):
    answer = exchange("session_end", 1)
    assert (answer.status, answer.location) == (303, "http://127.0.0.1:9999/?state=bye")


def test_jwks_forbids_caching(exchange):
    headers = exchange("jwks_before_rotation").kept_headers
    assert headers["Cache-Control"] == "no-cache, max-age=0, must-revalidate"
    assert headers["Content-Type"] == "application/jwk-set+json; charset=utf-8"


def test_rotation_lists_current_key_first(replay, version):
    statuses = [key.status for key in replay.emulator.rotate_keys()]
    assert (
        statuses == [key["status"] for key in recorded_for("keys_rotate", version)["body"]] == ["Current", "Previous"]
    )

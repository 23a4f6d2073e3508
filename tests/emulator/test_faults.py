import time

import pytest
import requests
from joserfc.jwk import ECKey

from logto_auth.emulator import HttpFault

from .relying_party import CALLBACK, RelyingParty, claims_of, header_of, parameters_of


def discovery(emulator, **options):
    return requests.get(f"{emulator.endpoint}/oidc/.well-known/openid-configuration", timeout=5, **options)


def test_hooks_change_id_token_claims_and_header(emulator, bookstore):
    emulator.faults.id_token_claims = lambda claims: {**claims, "iss": "https://evil.example"}
    emulator.faults.id_token_header = lambda header: {**header, "typ": "logout+jwt"}
    token = bookstore.sign_in()["id_token"]
    assert claims_of(token)["iss"] == "https://evil.example"
    assert header_of(token)["typ"] == "logout+jwt"


def test_hook_replaces_the_whole_id_token(emulator, bookstore):
    emulator.faults.id_token = lambda header, claims: "garbage"
    assert bookstore.sign_in()["id_token"] == "garbage"


def test_id_token_key_is_not_published(emulator, bookstore):
    emulator.faults.id_token_key = ECKey.generate_key("P-384")
    kid = header_of(bookstore.sign_in()["id_token"])["kid"]
    assert emulator.keys.find(kid) is None


def test_hook_changes_claims_of_access_token(emulator, bookstore):
    api = {"scope": "openid offline_access read:books", "resource": "https://bookstore.example/api"}
    emulator.faults.access_token_claims = lambda claims: {**claims, "sub": "other"}
    tokens = bookstore.exchange(bookstore.code(**api), resource=api["resource"]).json()
    assert claims_of(tokens["access_token"])["sub"] == "other"
    assert claims_of(tokens["id_token"])["sub"] != "other"
    refreshed = bookstore.refresh(tokens["refresh_token"], resource=api["resource"]).json()
    assert claims_of(refreshed["access_token"])["sub"] == "other"
    emulator.faults.clear()
    refreshed = bookstore.refresh(tokens["refresh_token"], resource=api["resource"]).json()
    assert claims_of(refreshed["access_token"])["sub"] != "other"


def test_access_token_key_is_not_published(emulator, bookstore):
    api = {"scope": "openid read:books", "resource": "https://bookstore.example/api"}
    emulator.faults.access_token_key = ECKey.generate_key("P-384")
    tokens = bookstore.exchange(bookstore.code(**api), resource=api["resource"]).json()
    assert emulator.keys.find(header_of(tokens["access_token"])["kid"]) is None
    assert emulator.keys.find(header_of(tokens["id_token"])["kid"]) is not None


def test_hook_can_rotate_key_before_signing(rotating_emulator):
    emulator = rotating_emulator
    relying_party = RelyingParty(emulator, next(iter(emulator.tenant.applications.values())))
    before = emulator.keys.current.kid
    emulator.faults.id_token_claims = lambda claims: emulator.rotate_keys() and claims
    assert header_of(relying_party.sign_in()["id_token"])["kid"] not in {before, None}
    relying_party.http.close()


def test_hooks_change_userinfo_token_discovery_and_jwks(emulator, bookstore):
    token = bookstore.sign_in()["access_token"]
    emulator.faults.userinfo = lambda claims: {**claims, "sub": "other"}
    assert bookstore.userinfo(token).json()["sub"] == "other"
    emulator.faults.token_response = lambda answer: "<html>"
    assert bookstore.exchange(bookstore.code()).text == "<html>"
    emulator.faults.discovery = lambda document: {**document, "issuer": "https://evil.example"}
    assert discovery(emulator).json()["issuer"] == "https://evil.example"
    emulator.faults.jwks = lambda document: {"keys": []}
    assert requests.get(f"{emulator.endpoint}/oidc/jwks", timeout=5).json() == {"keys": []}


def test_hook_changes_callback_parameters(emulator, bookstore, visitor):
    emulator.faults.callback = lambda parameters: [*parameters, ("iss", "https://evil.example")]
    url = visitor.sign_in(bookstore.authorization_url(), "customer")
    assert url.count("iss=") == 2
    emulator.faults.callback = lambda parameters: []
    assert visitor.sign_in(bookstore.authorization_url()) == CALLBACK


def test_clear_removes_all_faults(emulator, bookstore):
    emulator.faults.id_token = lambda header, claims: "garbage"
    emulator.faults.http["token"] = HttpFault(status=500)
    emulator.faults.clear()
    assert claims_of(bookstore.sign_in()["id_token"])["iss"] == emulator.issuer


# HTTP


def test_fault_sets_status_body_and_headers(emulator):
    emulator.faults.http["discovery"] = HttpFault(status=429, body=b"slow down", headers={"Retry-After": "7"})
    response = discovery(emulator)
    assert (response.status_code, response.text, response.headers["Retry-After"]) == (429, "slow down", "7")


def test_fault_applies_to_given_number_of_requests(emulator):
    emulator.faults.http["discovery"] = HttpFault(status=503, times=2)
    assert [discovery(emulator).status_code for _ in range(3)] == [503, 503, 200]


def test_fault_breaks_only_the_requests_that_it_names(emulator):
    emulator.faults.http["discovery"] = HttpFault(status=503, only="POST .*")
    assert discovery(emulator).status_code == 200
    emulator.faults.http["discovery"] = HttpFault(status=503, only="GET .*/openid-configuration")
    assert discovery(emulator).status_code == 503


def test_fault_drops_the_connection(emulator):
    emulator.faults.http["discovery"] = HttpFault(drop=True, times=1)
    with pytest.raises(requests.ConnectionError):
        discovery(emulator)
    assert discovery(emulator).status_code == 200


def test_delayed_response_is_unchanged(emulator):
    emulator.faults.http["discovery"] = HttpFault(delay_seconds=0.2)
    started = time.monotonic()
    assert discovery(emulator).json()["issuer"] == emulator.issuer
    assert time.monotonic() - started >= 0.2


def test_fault_truncates_the_response(emulator):
    emulator.faults.http["discovery"] = HttpFault(truncate_after=10)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        discovery(emulator)


def test_fault_sends_response_slowly(emulator):
    emulator.faults.http["discovery"] = HttpFault(status=200, body="0123456789", drip_seconds=0.02)
    started = time.monotonic()
    assert discovery(emulator).text == "0123456789"
    assert time.monotonic() - started >= 0.2


def test_unknown_endpoint_raises_key_error(emulator):
    with pytest.raises(KeyError, match="tokens"):
        emulator.faults.http["tokens"] = HttpFault(status=500)


@pytest.mark.parametrize("endpoint", ["auth", "token", "me", "revocation", "introspection", "session_end", "jwks"])
def test_all_endpoints_can_have_faults(emulator, bookstore, endpoint):
    paths = {"revocation": "token/revocation", "introspection": "token/introspection", "session_end": "session/end"}
    emulator.faults.http[endpoint] = HttpFault(status=599)
    method = "POST" if endpoint in {"token", "revocation", "introspection"} else "GET"
    url = f"{emulator.endpoint}/oidc/{paths.get(endpoint, endpoint)}"
    assert requests.request(method, url, timeout=5).status_code == 599


# The request log


def test_request_log_hides_secrets(emulator, bookstore):
    emulator.requests.clear()
    code = bookstore.code()
    tokens = bookstore.exchange(code).json()
    bookstore.refresh(tokens["refresh_token"])
    bookstore.userinfo(tokens["access_token"])
    assert [request.form["grant_type"] for request in emulator.requests.to("token")] == [
        ["authorization_code"],
        ["refresh_token"],
    ]
    assert len(emulator.requests.to("me")) == 1
    kept = repr(list(emulator.requests))
    secrets = [code, tokens["refresh_token"], tokens["access_token"], bookstore.application.secret]
    assert not [secret for secret in secrets if secret in kept]


def test_reset_clears_state_but_not_tenant(emulator, bookstore):
    token = bookstore.sign_in()["refresh_token"]
    emulator.tenant.add_user(username="extra")
    emulator.faults.http["me"] = HttpFault(status=500)
    emulator.clock.advance(1000)
    emulator.reset()
    assert len(emulator.requests) == 0
    assert emulator.clock.offset_seconds == 0
    assert bookstore.refresh(token).json()["error"] == "invalid_grant"
    assert emulator.tenant.find_user(username="extra")
    emulator.reset(tenant=True)
    assert not emulator.tenant.find_user(username="extra")
    assert parameters_of(bookstore.authorization_url())["client_id"] in emulator.tenant.applications

"""Authentication of the Management API, and the errors for invalid calls."""

import pytest
import requests

from logto_auth.emulator import HttpFault
from tests.emulator.management_api_client import RESOURCE


def call(emulator, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(f"{emulator.endpoint}/api/users", headers=headers, timeout=5)


def refusal(emulator, authorization):
    response = call(emulator, authorization)
    body = response.json()
    return response.status_code, body["code"], body.get("data", {}).get("code")


def test_machine_with_built_in_role_is_accepted(api):
    assert api.get("/users").status_code == 200


def test_other_authorization_schemes_are_refused(emulator, api):
    response = call(emulator, "Basic abc")
    assert response.status_code == 401
    assert response.json()["code"] == "auth.authorization_token_type_not_supported"
    assert response.json()["data"] == {"supportedTypes": ["Bearer"]}


def test_token_without_permission_is_forbidden(emulator, api):
    assert refusal(emulator, f"Bearer {api.token(scope='')}") == (403, "auth.forbidden", None)


def test_token_for_another_resource_is_unauthorized(emulator, api):
    emulator.tenant.add_resource("https://other.example", scopes=["all"])
    token = api.token(resource="https://other.example")
    response = call(emulator, f"Bearer {token}")
    assert response.status_code == 401
    data = response.json()["data"]
    assert data.pop("payload")["aud"] == "https://other.example"
    assert data == {
        "code": "ERR_JWT_CLAIM_VALIDATION_FAILED",
        "name": "JWTClaimValidationFailed",
        "claim": "aud",
        "reason": "check_failed",
    }


@pytest.mark.parametrize(
    ("changes", "status", "code", "jose"),
    [
        ({"iss": "https://evil.example/oidc"}, 401, "auth.unauthorized", "ERR_JWT_CLAIM_VALIDATION_FAILED"),
        ({"exp": 1}, 401, "auth.unauthorized", "ERR_JWT_EXPIRED"),
        ({"sub": None}, 401, "auth.jwt_sub_missing", None),
        ({"scope": "alls"}, 403, "auth.forbidden", None),
    ],
)
def test_each_claim_is_checked(emulator, changes, status, code, jose):
    claims = {"iss": emulator.issuer, "aud": RESOURCE, "exp": 2**40, "sub": "machine", "scope": "all"}
    assert call(emulator, f"Bearer {emulator.sign(claims)}").status_code == 200
    assert refusal(emulator, f"Bearer {emulator.sign({**claims, **changes})}") == (status, code, jose)


def test_unknown_key_and_wrong_signature_are_unauthorized(emulator, api):
    token = api.token()
    broken = f"{token[:-8]}AAAAAAAA"
    assert refusal(emulator, f"Bearer {broken}") == (
        401,
        "auth.unauthorized",
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
    )
    unknown = emulator.sign({}, header={"kid": "nope"})
    assert refusal(emulator, f"Bearer {unknown}") == (401, "auth.unauthorized", "ERR_JWKS_NO_MATCHING_KEY")


def test_unsigned_token_is_unauthorized(emulator):
    claims = {"iss": emulator.issuer, "aud": RESOURCE, "exp": 2**40, "sub": "machine", "scope": "all"}
    unsigned = emulator.sign(claims, header={"alg": "none"})
    assert refusal(emulator, f"Bearer {unsigned}")[:2] == (401, "auth.unauthorized")


def test_token_remains_valid_after_role_is_removed(emulator, api):
    api.machine.roles = []
    assert api.get("/users").status_code == 200
    assert (
        "scope"
        not in api.http.post(
            f"{emulator.issuer}/token",
            data={"grant_type": "client_credentials", "resource": RESOURCE, "scope": "all"},
            auth=(api.machine.id, api.machine.secret),
            timeout=5,
        ).json()
    )


def test_status_and_sign_in_experience_are_public(emulator):
    assert requests.get(f"{emulator.endpoint}/api/status", timeout=5).status_code == 204
    assert requests.get(f"{emulator.endpoint}/api/.well-known/sign-in-exp", timeout=5).status_code == 200


def test_unknown_route_gets_plain_404(api):
    response = api.get("/nope")
    assert (response.status_code, response.text) == (404, "Not Found")


def test_unreadable_bodies_are_refused(emulator, api):
    url, headers = f"{emulator.endpoint}/api/users", {"Content-Type": "application/json"}
    assert api.http.post(url, data="{nope", headers=headers, timeout=5).status_code == 400
    assert api.http.post(url, data=b"x" * 2**21, headers=headers, timeout=5).status_code == 413
    assert api.put("/users", {}).status_code == 405


def test_large_list_of_ids_is_accepted(emulator, api):
    body = {"userIds": [emulator.tenant.add_user().id for _ in range(5000)]}
    assert api.post("/organizations/harbourbr001/users", body).status_code == 201
    assert api.get("/organizations/harbourbr001/users").headers["Total-Number"] == "5004"


def test_fault_applies_to_all_routes(emulator, api):
    emulator.faults.http["management_api"] = HttpFault(status=429, headers={"Retry-After": "1"}, times=1)
    assert api.get("/roles").status_code == 429
    assert api.get("/roles").status_code == 200
    assert len(emulator.requests.to("management_api")) == 2

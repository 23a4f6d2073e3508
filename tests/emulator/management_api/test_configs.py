"""`/api/configs`: keys, session lifetime and ID token claims."""

import pytest

from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.relying_party import RelyingParty, claims_of, header_of


@pytest.fixture
def rotating(rotating_emulator):
    api = ManagementAPI(rotating_emulator)
    yield api
    api.http.close()


def statuses(response):
    return [key["status"] for key in response.json()]


def test_rotation_by_api_signs_with_new_key(rotating):
    before = rotating.emulator.keys.current.kid
    assert statuses(rotating.post("/configs/oidc/private-keys/rotate", {})) == ["Current", "Previous"]
    relying_party = RelyingParty(rotating.emulator, next(iter(rotating.emulator.tenant.applications.values())))
    assert header_of(relying_party.sign_in()["id_token"])["kid"] != before
    relying_party.http.close()


def test_second_rotation_is_refused_during_grace(rotating):
    rotated = rotating.post("/configs/oidc/private-keys/rotate", {"rotationGracePeriod": 60})
    assert statuses(rotated) == ["Next", "Current"]
    in_a_minute = rotating.emulator.clock.precise() + 60
    assert rotated.json()[0]["effectiveAt"] == pytest.approx(in_a_minute * 1000, abs=10_000)
    again = rotating.post("/configs/oidc/private-keys/rotate", {})
    assert (again.status_code, again.json()["code"]) == (422, "oidc.invalid_request")
    rotating.emulator.clock.advance(61)
    assert statuses(rotating.get("/configs/oidc/private-keys")) == ["Current", "Previous"]


def test_only_previous_key_can_be_deleted(rotating):
    path = "/configs/oidc/private-keys"
    [only] = rotating.get(path).json()
    assert rotating.delete(f"{path}/{only['id']}").json()["code"] == "oidc.key_required"
    current, previous = rotating.post(f"{path}/rotate", {}).json()
    assert rotating.delete(f"{path}/{current['id']}").json()["code"] == "oidc.only_previous_key_can_be_deleted"
    assert rotating.delete(f"{path}/nope").json()["code"] == "oidc.key_not_found"
    rotating.http.headers["Authorization"] = f"Bearer {rotating.token()}"
    assert rotating.delete(f"{path}/{previous['id']}").status_code == 204
    assert [key["id"] for key in rotating.get(path).json()] == [current["id"]]


def test_enabled_claims_are_in_the_id_token(api, bookstore):
    assert api.get("/configs/id-token").json() == {
        "enabledExtendedClaims": ["roles", "organizations", "organization_roles"]
    }
    names = {"enabledExtendedClaims": ["custom_data"]}
    assert api.put("/configs/id-token", names).json() == names
    claims = claims_of(bookstore.sign_in("editor", scope="openid roles custom_data")["id_token"])
    assert claims["custom_data"] == {}
    assert "roles" not in claims
    assert api.put("/configs/id-token", {"enabledExtendedClaims": ["email"]}).status_code == 400


def test_session_lifetime_can_be_changed(emulator, api, bookstore, visitor):
    assert api.get("/configs/oidc/session").json() == {"ttl": 1209600}
    assert api.patch("/configs/oidc/session", {"ttl": 60}).json() == {"ttl": 60}
    assert api.patch("/configs/oidc/session", {"ttl": 0}).status_code == 400
    visitor.sign_in(bookstore.authorization_url(), "customer")
    silent = bookstore.authorization_url(prompt="none")
    emulator.clock.advance(59)
    assert "code=" in visitor.session.get(silent, allow_redirects=False).headers["Location"]
    emulator.clock.advance(61)
    assert "error=login_required" in visitor.session.get(silent, allow_redirects=False).headers["Location"]

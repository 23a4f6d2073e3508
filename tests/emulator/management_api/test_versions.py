"""What the Management API and the public settings show in each version of Logto."""

import pytest
import requests

VERSIONS = ("1.41", "1.42", "head")


@pytest.mark.parametrize(("version", "has_secret"), list(zip(VERSIONS, (True, False, False), strict=True)))
def test_application_has_secret_in_1_41_only(emulator, api, version, has_secret):
    emulator.like = version
    made = api.made("/applications", {"name": "x", "type": "Traditional"})
    for application in (made, api.get(f"/applications/{made['id']}").json(), api.get("/applications").json()[0]):
        assert ("secret" in application) == has_secret


@pytest.mark.parametrize(("version", "has_key"), list(zip(VERSIONS, (False, False, True), strict=True)))
def test_users_have_cimd_client_id_in_head_only(emulator, api, version, has_key):
    emulator.like = version
    users = [
        api.get("/users/editor000001").json(),
        api.get("/users").json()[0],
        api.get("/organizations/harbourbr001/users").json()[0],
        api.get("/roles/roleeditor00000000001/users").json()[0],
    ]
    assert ["cimdClientId" in user for user in users] == [has_key] * 4


@pytest.mark.parametrize(("version", "is_public"), list(zip(VERSIONS, (True, False, False), strict=True)))
def test_email_blocklist_is_public_in_1_41_only(emulator, api, version, is_public):
    emulator.like = version
    for name in ("sign-in-exp", "experience"):
        settings = requests.get(f"{emulator.endpoint}/api/.well-known/{name}", timeout=5).json()
        assert ("emailBlocklistPolicy" in settings) == is_public
    assert "emailBlocklistPolicy" in api.get("/sign-in-exp").json()


@pytest.mark.parametrize(("version", "status"), list(zip(VERSIONS, (400, 201, 201), strict=True)))
def test_grant_limit_event_exists_since_1_42(emulator, api, version, status):
    emulator.like = version
    body = {"events": ["Grant.LimitExceeded"], "config": {"url": "http://127.0.0.1:9/"}}
    assert api.post("/hooks", body).status_code == status


@pytest.mark.parametrize("path", ["/api/status", "/api/users", "/oidc/jwks", "/oidc/auth", "/sign-in"])
def test_all_responses_vary_by_encoding(emulator, path):
    response = requests.get(emulator.endpoint + path, allow_redirects=False, timeout=5)
    assert "Accept-Encoding" in response.headers["Vary"]
    assert ("Origin" in response.headers["Vary"]) == path.startswith(("/api", "/oidc/jwks"))


def test_connectors_that_store_tokens_say_so(api):
    factories = {each["id"]: each for each in api.get("/connector-factories").json()}
    assert factories["oidc"]["isTokenStorageSupported"] is True
    assert "isTokenStorageSupported" not in factories["alipay-web"]


def test_email_is_taken_in_any_case(api):
    answer = api.post("/users", {"primaryEmail": "Editor@Bookstore.Example"})
    assert (answer.status_code, answer.json()["code"]) == (422, "user.email_already_in_use")
    assert api.post("/users", {"username": "Editor"}).status_code == 200

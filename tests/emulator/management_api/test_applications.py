"""`/api/applications`, and the effect on sign-ins."""

import pytest

from tests.emulator.relying_party import CALLBACK, RelyingParty, claims_of

WEB = {"redirectUris": [CALLBACK], "postLogoutRedirectUris": []}


@pytest.fixture
def made(api):
    return api.made("/applications", {"name": "Made", "type": "Traditional", "oidcClientMetadata": WEB})


def test_application_created_by_api_signs_in(emulator, made):
    relying_party = RelyingParty(emulator, emulator.tenant.applications[made["id"]])
    assert claims_of(relying_party.sign_in()["id_token"])["aud"] == made["id"]
    relying_party.http.close()


def test_python_changes_are_visible_in_api(emulator, api, bookstore):
    bookstore.application.rotate_refresh_token = False
    shown = api.get(f"/applications/{bookstore.application.id}").json()
    assert shown["customClientMetadata"] == {"rotateRefreshToken": False}
    assert shown["oidcClientMetadata"]["redirectUris"] == list(bookstore.application.redirect_uris)
    assert shown["isAdmin"] is False
    assert api.get(f"/applications/{api.machine.id}").json()["isAdmin"] is True


def test_change_replaces_all_metadata(api, made):
    path = f"/applications/{made['id']}"
    api.patch(path, {"customClientMetadata": {"idTokenTtl": 60, "rotateRefreshToken": True}})
    changed = api.patch(path, {"customClientMetadata": {"rotateRefreshToken": True}, "description": "New"}).json()
    assert changed["customClientMetadata"] == {"rotateRefreshToken": True}
    assert changed["description"] == "New"
    assert changed["oidcClientMetadata"] == WEB


def test_metadata_applies_to_tokens(emulator, api, made):
    api.patch(f"/applications/{made['id']}", {"customClientMetadata": {"idTokenTtl": 60}})
    relying_party = RelyingParty(emulator, emulator.tenant.applications[made["id"]])
    claims = claims_of(relying_party.sign_in()["id_token"])
    assert claims["exp"] - claims["iat"] == 60
    relying_party.http.close()


def test_custom_data_is_merged_and_sorted_like_jsonb(api, made):
    path = f"/applications/{made['id']}"
    api.patch(path, {"customData": {"plan": "small", "b": 1}})
    merged = api.patch(f"{path}/custom-data", {"plan": "big", "aa": {"zz": 1, "y": 2}}).json()
    assert list(merged) == ["b", "aa", "plan"]
    assert list(merged["aa"]) == ["y", "zz"]
    assert api.patch(path, {"customData": {"only": 1}}).json()["customData"] == {"only": 1}


def test_type_and_third_party_do_not_change(api, made):
    changed = api.patch(f"/applications/{made['id']}", {"type": "SPA", "isThirdParty": True}).json()
    assert (changed["type"], changed["isThirdParty"]) == ("Traditional", False)


@pytest.mark.parametrize(
    "uri",
    [
        "http://a.example/../b",
        "http://*/cb",
        "https://a.example:*/cb",
        "https://user@*.a.example/cb",
        "https://a.example/cb?x=*",
        "1nope://cb",
        "",
    ],
)
def test_invalid_redirect_uris_are_refused(api, made, uri):
    metadata = {"redirectUris": [CALLBACK, uri], "postLogoutRedirectUris": []}
    response = api.patch(f"/applications/{made['id']}", {"oidcClientMetadata": metadata})
    assert response.status_code == 400
    assert response.json()["data"]["issues"][0]["path"] == ["oidcClientMetadata", "redirectUris", 1]


@pytest.mark.parametrize(
    "uri", ["https://*.preview.a.example/cb", "https://a.example/*/cb", "io.logto.app://callback", "com.example:/cb"]
)
def test_valid_redirect_uris_are_saved(api, made, uri):
    metadata = {"redirectUris": [uri], "postLogoutRedirectUris": [uri]}
    response = api.patch(f"/applications/{made['id']}", {"oidcClientMetadata": metadata})
    assert response.json()["oidcClientMetadata"] == metadata


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "", "type": "SPA"}, 400, "guard.invalid_input"),
        ({"name": "x", "type": "Nope"}, 400, "guard.invalid_input"),
        (
            {"name": "x", "type": "SPA", "customClientMetadata": {"refreshTokenTtlInDays": 181}},
            400,
            "guard.invalid_input",
        ),
        (
            {"name": "x", "type": "SPA", "customClientMetadata": {"isDeviceFlow": True}},
            422,
            "application.device_flow_native_only",
        ),
        (
            {"name": "x", "type": "MachineToMachine", "isThirdParty": True},
            400,
            "application.invalid_third_party_application_type",
        ),
    ],
)
def test_invalid_applications_are_refused(api, body, status, code):
    response = api.post("/applications", body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_named_secret_works_until_deleted(emulator, api, made):
    path = f"/applications/{made['id']}/secrets"
    new = api.post(path, {"name": "Second"})
    assert new.status_code == 201
    assert list(new.json()) == ["tenantId", "applicationId", "name", "value", "createdAt", "expiresAt"]
    assert api.post(path, {"name": "Second"}).json()["code"] == "application.secret_name_exists"
    assert api.patch(f"{path}/Second", {"name": "Renamed"}).json()["value"] == new.json()["value"]
    assert api.delete(f"{path}/Default secret").status_code == 204
    assert [secret["name"] for secret in api.get(path).json()] == ["Renamed"]
    assert emulator.tenant.applications[made["id"]].secret == new.json()["value"]
    assert api.delete(f"{path}/Default secret").json()["code"] == "entity.not_found"


def test_expired_secret_is_refused(emulator, api, made):
    secret = api.made(
        f"/applications/{made['id']}/secrets", {"name": "Old", "expiresAt": emulator.clock.now_ms() + 1000}
    )
    emulator.clock.advance(2)
    response = api.http.post(
        f"{emulator.issuer}/token",
        data={"grant_type": "refresh_token", "refresh_token": "x"},
        auth=(made["id"], secret["value"]),
        timeout=5,
    )
    assert response.json()["error_description"] == "client secret has expired"


def test_machine_roles_are_listed_added_and_removed(emulator, api, made):
    machine = api.made("/applications", {"name": "Worker", "type": "MachineToMachine"})
    path = f"/applications/{machine['id']}/roles"
    role = next(role for role in api.get("/roles").json() if role["name"] == "Logto Management API access")
    given = api.post(path, {"roleIds": [role["id"]]})
    assert (given.status_code, given.json()) == (201, {"roleIds": [role["id"]], "addedRoleIds": [role["id"]]})
    assert api.post(path, {"roleIds": [role["id"]]}).json()["addedRoleIds"] == []
    assert [each["id"] for each in api.get(f"/roles/{role['id']}/applications").json()] == [
        "bookstoresetup0000001",
        api.machine.id,
        machine["id"],
    ]
    assert api.delete(f"{path}/{role['id']}").status_code == 204
    assert api.get(path).json() == []
    assert api.put(path, {"roleIds": ["roleeditor00000000001"]}).json()["code"] == "entity.db_constraint_violated"
    assert api.get(f"/applications/{made['id']}/roles").json()["code"] == "application.invalid_type"


def test_deleted_application_cannot_sign_in(emulator, api, made):
    relying_party = RelyingParty(emulator, emulator.tenant.applications[made["id"]])
    assert api.delete(f"/applications/{made['id']}").status_code == 204
    assert relying_party.authorize().status_code == 400
    assert api.get(f"/applications/{made['id']}").status_code == 404
    relying_party.http.close()


def test_applications_are_filtered_by_type_and_party(emulator, api, third_party):
    machines = api.get("/applications", types="MachineToMachine").json()
    assert [each["name"] for each in machines] == ["Machine", "Bookstore setup", "Stock robot"]
    assert [each["name"] for each in api.get("/applications", isThirdParty="true").json()] == ["Partner"]
    both = api.get("/applications", types=["MachineToMachine", "Traditional"]).json()
    assert {each["name"] for each in both} == {"Machine", "Bookstore setup", "Stock robot", "Bookstore", "Partner"}

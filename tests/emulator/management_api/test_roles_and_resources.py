"""`/api/roles` and `/api/resources`, and the effect on tokens."""

import pytest

from tests.emulator.relying_party import claims_of

API = "https://bookstore.example/api"
EDITOR = "roleeditor00000000001"


@pytest.fixture
def resource(api):
    return api.made("/resources", {"name": "Orders", "indicator": "https://orders.example"})


@pytest.fixture
def scope(api, resource):
    return api.made(f"/resources/{resource['id']}/scopes", {"name": "read:orders", "description": "Read"})


def code(response):
    return response.status_code, response.json()["code"]


def scope_of_token(bookstore, *scopes):
    tokens = bookstore.sign_in("editor", scope=f"openid offline_access {' '.join(scopes)}", resource=API)
    return claims_of(bookstore.refresh(tokens["refresh_token"], resource=API).json()["access_token"])["scope"]


def test_role_created_by_api_is_in_tokens(api, bookstore, resource, scope):
    role = api.made("/roles", {"name": "clerk", "description": "Orders", "scopeIds": [scope["id"]]})
    api.post(f"/roles/{role['id']}/users", {"userIds": ["customer0001"]})
    tokens = bookstore.sign_in(scope="openid offline_access read:orders", resource=resource["indicator"])
    refreshed = bookstore.refresh(tokens["refresh_token"], resource=resource["indicator"]).json()
    assert claims_of(refreshed["access_token"])["scope"] == "read:orders"


def test_role_has_logto_format(api):
    role = api.made("/roles", {"name": "clerk", "description": "Orders"})
    assert list(role) == ["tenantId", "id", "name", "description", "type", "isDefault"]
    assert (role["type"], role["isDefault"]) == ("User", False)


def test_renamed_role_keeps_its_holders(api, bookstore):
    assert api.patch(f"/roles/{EDITOR}", {"name": "publisher"}).json()["name"] == "publisher"
    assert claims_of(bookstore.sign_in("editor", scope="openid roles")["id_token"])["roles"] == ["publisher"]
    assert [user["username"] for user in api.get(f"/roles/{EDITOR}/users").json()] == ["editor"]


def test_deleted_role_is_removed_from_holders(api, bookstore):
    assert api.delete(f"/roles/{EDITOR}").status_code == 204
    assert claims_of(bookstore.sign_in("editor", scope="openid roles")["id_token"])["roles"] == []
    assert api.get(f"/roles/{EDITOR}").status_code == 404


def test_role_list_counts_and_features_holders(api):
    editor = next(role for role in api.get("/roles").json() if role["id"] == EDITOR)
    assert editor["usersCount"] == 1
    assert editor["featuredUsers"] == [{"id": "editor000001", "avatar": None, "name": "Editor"}]
    assert editor["applicationsCount"] == 0
    machines = api.get("/roles", type="MachineToMachine").json()
    assert [role["name"] for role in machines] == ["robot", "Logto Management API access"]
    assert machines[1]["featuredApplications"] == [
        {"id": "bookstoresetup0000001", "name": "Bookstore setup", "type": "MachineToMachine"},
        {"id": api.machine.id, "name": "Machine", "type": "MachineToMachine"},
    ]
    assert EDITOR not in [role["id"] for role in api.get("/roles", excludeUserId="editor000001").json()]


def test_default_role_is_given_to_new_users(api):
    api.patch(f"/roles/{EDITOR}", {"isDefault": True})
    user = api.made("/users", {})
    assert [role["id"] for role in api.get(f"/users/{user['id']}/roles").json()] == [EDITOR]


def test_invalid_roles_are_refused(api):
    machine_scope = api.get("/resources", includeScopes="true").json()[0]["scopes"][0]["id"]
    assert code(api.post("/roles", {"name": "editor", "description": "x"})) == (422, "role.name_in_use")
    assert code(api.post("/roles", {"name": "#internal:x", "description": "x"})) == (
        403,
        "role.internal_role_violation",
    )
    assert code(api.post("/roles", {"name": "x"})) == (400, "guard.invalid_input")
    refused = api.post("/roles", {"name": "x", "description": "x", "scopeIds": [machine_scope]})
    assert code(refused) == (422, "role.management_api_scopes_not_assignable_to_user_role")
    assert code(api.post(f"/roles/{EDITOR}/scopes", {"scopeIds": ["nope"]}))[0] == 404


def test_permissions_are_added_to_role_and_removed(api, bookstore, scope):
    path = f"/roles/{EDITOR}/scopes"
    assert api.post(path, {"scopeIds": [scope["id"]]}).status_code == 201
    assert code(api.post(path, {"scopeIds": [scope["id"]]})) == (422, "role.scope_exists")
    held = api.get(path).json()
    assert [(each["name"], each["resource"]["indicator"]) for each in held] == [
        ("read:books", API),
        ("write:books", API),
        ("read:orders", "https://orders.example"),
    ]
    assert scope_of_token(bookstore, "read:books", "write:books") == "read:books write:books"
    assert api.delete(f"{path}/{held[1]['id']}").status_code == 204
    assert scope_of_token(bookstore, "read:books", "write:books") == "read:books"
    assert api.delete(f"{path}/{held[1]['id']}").status_code == 404


def test_role_holders_are_listed_added_and_removed(api):
    path = f"/roles/{EDITOR}/users"
    response = api.post(path, {"userIds": ["customer0001"]})
    assert (response.status_code, response.text) == (201, "Created")
    assert [user["username"] for user in api.get(path).json()] == ["customer", "editor"]
    assert [user["username"] for user in api.get(path, search="ed%").json()] == ["editor"]
    assert code(api.post(path, {"userIds": ["customer0001"]})) == (422, "role.user_exists")
    assert code(api.post(path, {"userIds": ["nope"]}))[0] == 404
    assert code(api.post(path, {"userIds": []})) == (400, "guard.invalid_input")
    assert api.delete(f"{path}/customer0001").status_code == 204
    assert api.delete(f"{path}/customer0001").status_code == 404


def test_resources_are_created_changed_and_deleted(api, resource):
    assert list(resource) == ["tenantId", "id", "name", "indicator", "isDefault", "accessTokenTtl", "scopes"]
    path = f"/resources/{resource['id']}"
    same = api.post("/resources", {"name": "Same", "indicator": "https://orders.example"})
    assert code(same) == (422, "resource.resource_identifier_in_use")
    changed = api.patch(path, {"name": "New", "accessTokenTtl": 60, "indicator": "https://new.example"}).json()
    assert (changed["name"], changed["accessTokenTtl"], changed["indicator"]) == ("New", 60, "https://orders.example")
    assert api.patch(f"{path}/is-default", {"isDefault": True}).json()["isDefault"] is True
    assert [each["isDefault"] for each in api.get("/resources").json()].count(True) == 1
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_deleted_resource_removes_permissions_from_roles(api, resource, scope):
    api.post(f"/roles/{EDITOR}/scopes", {"scopeIds": [scope["id"]]})
    api.delete(f"/resources/{resource['id']}")
    assert "read:orders" not in [each["name"] for each in api.get(f"/roles/{EDITOR}/scopes").json()]


def test_built_in_resource_cannot_be_changed(api):
    [built_in] = [each for each in api.get("/resources").json() if each["indicator"] == "https://default.logto.app/api"]
    path = f"/resources/{built_in['id']}"
    assert code(api.patch(path, {"name": "x"})) == (400, "resource.cannot_modify_management_api")
    assert code(api.post(f"{path}/scopes", {"name": "x"})) == (400, "resource.cannot_modify_management_api")
    assert code(api.delete(path)) == (400, "resource.cannot_delete_management_api")


def test_permissions_are_created_changed_and_deleted(api, bookstore, resource, scope):
    path = f"/resources/{resource['id']}/scopes"
    assert list(scope) == ["tenantId", "id", "resourceId", "name", "description", "createdAt"]
    assert code(api.post(path, {"name": "read:orders"})) == (422, "scope.name_exists")
    assert code(api.post(path, {"name": "read orders"})) == (400, "scope.name_with_space")
    assert api.get(path).headers["Total-Number"] == "1"
    assert api.delete(f"{path}/{scope['id']}").status_code == 204
    assert api.get(path).json() == []


def test_renamed_permission_remains_in_its_roles(api, bookstore):
    resource_id = "bookstoreapi000000001"
    scope = next(each for each in api.get(f"/resources/{resource_id}/scopes").json() if each["name"] == "write:books")
    renamed = api.patch(f"/resources/{resource_id}/scopes/{scope['id']}", {"name": "edit:books"})
    assert renamed.json()["name"] == "edit:books"
    assert scope_of_token(bookstore, "edit:books", "write:books") == "edit:books"

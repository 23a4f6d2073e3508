"""Empty lists of ids. The answers are those of real Logtos: 1.41.0, 1.42.0 and the development head."""

import pytest

NO_VALUES = {"code": "entity.invalid_input", "message": "Invalid input. Value list must not be empty."}
BRANCH = "/organizations/harbourbr001"


@pytest.fixture
def role(api):
    return api.made("/organization-roles", {"name": "clerk"})["id"]


@pytest.fixture
def machine(api):
    machine = api.made("/applications", {"name": "Worker", "type": "MachineToMachine"})["id"]
    api.post(f"{BRANCH}/applications", {"applicationIds": [machine]})
    return machine


@pytest.fixture
def member_roles(api):
    user = api.made("/users", {"username": "member"})["id"]
    api.post(f"{BRANCH}/users", {"userIds": [user]})
    return f"{BRANCH}/users/{user}/roles"


def issue_of(response):
    [issue] = response.json()["data"]["issues"]
    return response.status_code, issue["code"], issue["path"]


@pytest.mark.parametrize(("version", "status"), [("1.41", 422), ("1.42", 422), ("head", 201)])
@pytest.mark.parametrize("body", [{}, {"organizationRoleIds": []}, {"organizationRoleNames": []}])
def test_member_without_roles_to_add(emulator, api, member_roles, version, status, body):
    emulator.like = version
    answer = api.post(member_roles, body)
    assert answer.status_code == status
    assert answer.json() == ({"organizationRoleIds": []} if status == 201 else NO_VALUES)
    assert api.put(member_roles, body).status_code == 204


@pytest.mark.parametrize("method", ["post", "put"])
@pytest.mark.parametrize("body", [{}, {"organizationRoleIds": []}, {"organizationRoleNames": ["clerk"]}])
def test_roles_of_an_application_are_required_ids(api, machine, method, body):
    code = "too_small" if "organizationRoleIds" in body else "invalid_type"
    answer = getattr(api, method)(f"{BRANCH}/applications/{machine}/roles", body)
    assert issue_of(answer) == (400, code, ["organizationRoleIds"])


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (f"{BRANCH}/jit/roles", "organizationRoleIds"),
        (f"{BRANCH}/jit/sso-connectors", "ssoConnectorIds"),
        ("/organizations/nope/jit/roles", "organizationRoleIds"),
        ("/organization-roles/{role}/scopes", "organizationScopeIds"),
        ("/organization-roles/{role}/resource-scopes", "scopeIds"),
        ("/organization-roles/nope/scopes", "organizationScopeIds"),
    ],
)
def test_empty_list_replaces_and_does_not_add(api, role, path, key):
    path = path.format(role=role)
    assert issue_of(api.post(path, {key: []})) == (400, "too_small", [key])
    if "nope" not in path:
        assert api.put(path, {key: []}).status_code == 204


def test_role_with_an_empty_list_of_permissions_is_refused_and_remains(emulator, api):
    answer = api.post("/roles", {"name": "clerk", "description": "x", "scopeIds": []})
    assert (answer.status_code, answer.json()) == (422, NO_VALUES)
    assert emulator.tenant.find_role("clerk") is not None


def test_replaced_roles_of_a_machine_need_a_new_one(api, machine):
    role = api.made("/roles", {"name": "worker", "description": "x", "type": "MachineToMachine"})["id"]
    path = f"/applications/{machine}/roles"
    assert api.put(path, {"roleIds": [role]}).text == "OK"
    assert api.put(path, {"roleIds": [role]}).json() == NO_VALUES
    assert [each["id"] for each in api.get(path).json()] == [role]
    assert api.put(path, {"roleIds": []}).json() == NO_VALUES
    assert api.get(path).json() == []


def test_replaced_roles_of_a_user_may_be_empty(api):
    user = api.made("/users", {"username": "clerk"})["id"]
    assert api.put(f"/users/{user}/roles", {"roleIds": []}).json() == {"roleIds": []}


def test_role_of_the_other_type_is_refused(api, machine):
    user = api.made("/users", {"username": "clerk"})["id"]
    of_users = api.made("/roles", {"name": "mine", "description": "x"})["id"]
    of_machines = api.made("/roles", {"name": "worker", "description": "x", "type": "MachineToMachine"})["id"]
    for path, other in ((f"/users/{user}/roles", of_machines), (f"/applications/{machine}/roles", of_users)):
        answer = api.put(path, {"roleIds": [other]})
        assert (answer.status_code, answer.json()["code"]) == (422, "entity.db_constraint_violated")

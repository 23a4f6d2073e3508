"""What clients of others may ask for. Recorded answers are in `tests/contract/test_tokens.py`.

What is not recorded was tried on a Logto 1.42.0; dynamic clients are from Logto's source.
"""

import pytest

MCP = "https://shop.example/mcp"


@pytest.fixture
def client(emulator):
    emulator.tenant.add_resource(MCP, scopes=["mcp:tools", "write:stock"])
    emulator.tenant.add_organization_scope("manage:stock")
    return emulator.tenant.add_application(name="Agent", type="Native", is_third_party=True)


@pytest.fixture
def path(client):
    return f"/applications/{client.id}/user-consent-scopes"


def refused(response, status, code):
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_scopes_follow_renaming_and_deletion(emulator, api, client, path):
    resource = emulator.tenant.find_resource(MCP)
    tools, stock = resource.scopes["mcp:tools"], emulator.tenant.organization_scopes["manage:stock"]
    given = {"resourceScopes": [tools.id, tools.id], "organizationScopes": [stock.id]}
    assert api.post(path, given).status_code == 201
    api.patch(f"/resources/{resource.id}/scopes/{tools.id}", {"name": "mcp:use"})
    api.patch(f"/organization-scopes/{stock.id}", {"name": "change:stock"})
    assert (dict(client.resource_scopes), list(client.organization_scopes)) == ({MCP: ("mcp:use",)}, ["change:stock"])
    api.delete(f"/resources/{resource.id}/scopes/{tools.id}")
    api.delete(f"/organization-scopes/{stock.id}")
    shown = api.get(path).json()
    assert (shown["resourceScopes"], shown["organizationScopes"]) == ([], [])


@pytest.mark.parametrize("kind", ["organization-scopes", "resource-scopes", "organization-resource-scopes"])
def test_removed_scope_is_gone(emulator, api, client, path, kind):
    key = {"organization-scopes": "organizationScopes", "resource-scopes": "resourceScopes"}.get(
        kind, "organizationResourceScopes"
    )
    scope = emulator.tenant.find_resource(MCP).scopes["mcp:tools"]
    if kind == "organization-scopes":
        scope = emulator.tenant.organization_scopes["manage:stock"]
    assert api.post(path, {key: [scope.id]}).status_code == 201
    assert api.delete(f"{path}/{kind}/{scope.id}").status_code == 204
    assert api.get(path).json()[key] == []
    refused(api.delete(f"{path}/{kind}/{scope.id}"), 404, "entity.not_found")


def test_user_scopes_are_removed_by_name(api, client, path):
    assert api.post(path, {"userScopes": ["profile", "profile", "email"]}).status_code == 201
    assert api.delete(f"{path}/user-scopes/profile").status_code == 204
    assert client.user_scopes == ["email"]
    refused(api.delete(f"{path}/user-scopes/nope"), 404, "entity.not_found")
    refused(api.delete(f"{path}/nope/profile"), 400, "guard.invalid_input")


def test_refusals(emulator, api, path):
    management = emulator.tenant.find_resource(emulator.tenant.management_api_resource).scopes["all"].id
    refused(api.post(path, {"resourceScopes": []}), 422, "entity.invalid_input")
    assert api.post(path, {"userScopes": []}).status_code == 201
    assert api.post(path, {}).status_code == 201
    for key in ("resourceScopes", "organizationResourceScopes"):
        code = "application.consent_management_api_scopes_not_allowed"
        refused(api.post(path, {key: [management]}), 422, code)
    refused(api.post(path, {"userScopes": ["urn:logto:scope:trusted_devices"]}), 400, "guard.invalid_input")
    refused(api.get("/applications/nope/user-consent-scopes"), 404, "entity.not_exists_with_id")
    refused(api.post("/applications/nope/user-consent-scopes", {}), 404, "entity.not_exists_with_id")


# Dynamic clients


def test_ceiling_of_head_is_changed(emulator, api, client):
    emulator.like = "head"
    ceiling = "/cimd/user-consent-scopes"
    tools = emulator.tenant.find_resource(MCP).scopes["mcp:tools"]
    given = {"resourceScopes": [tools.id], "userScopes": ["profile", "email"], "organizationScopes": []}
    assert api.post(ceiling, given).status_code == 201
    assert api.delete(f"{ceiling}/user-scopes/profile").status_code == 204
    assert api.get(ceiling).json()["userScopes"] == ["email"]
    assert emulator.tenant.cimd_ceiling.resource_scopes == {MCP: ["mcp:tools"]}
    refused(api.delete(f"{ceiling}/user-scopes/profile"), 404, "entity.not_found")
    refused(api.post(ceiling, {"resourceScopes": ["nope"]}), 422, "application.user_consent_scopes_not_found")


def test_released_versions_have_no_ceiling(emulator, api):
    ceiling = "/cimd/user-consent-scopes"
    for response in (api.get(ceiling), api.post(ceiling, {}), api.delete(f"{ceiling}/user-scopes/email")):
        assert response.status_code == 404

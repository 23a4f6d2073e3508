"""`/api/organizations` with members, template and invitations, and the effect on tokens."""

from tests.emulator.relying_party import claims_of

HARBOUR = "/organizations/harbourbr001"
MANAGER = "orgrolemanager0000001"
STAFF = "orgrolestaff000000001"
ORGANIZATIONS = "openid offline_access urn:logto:scope:organizations urn:logto:scope:organization_roles"


def code(response):
    return response.status_code, response.json()["code"]


def test_organization_has_logto_format(api):
    made = api.post("/organizations", {"name": "New", "description": "D", "customData": {"a": 1}})
    assert made.status_code == 201
    assert list(made.json()) == [
        "tenantId", "id", "name", "description", "customData",
        "isMfaRequired", "color", "branding", "customCss", "createdAt",
    ]  # fmt: skip
    assert len(made.json()["id"]) == 12


def test_organizations_are_changed_searched_and_deleted(api, bookstore):
    assert api.patch(HARBOUR, {"customData": {"size": 1}, "isMfaRequired": True}).json()["customData"] == {"size": 1}
    assert [each["name"] for each in api.get("/organizations", q="hill").json()] == ["Hill Branch"]
    featured = api.get("/organizations", q="harbour", showFeatured="true").json()[0]
    assert (featured["usersCount"], len(featured["featuredUsers"])) == (4, 3)
    assert api.delete(HARBOUR).status_code == 204
    assert code(api.get(HARBOUR)) == (404, "entity.not_exists_with_id")
    claims = claims_of(bookstore.sign_in("editor", scope=ORGANIZATIONS)["id_token"])
    assert claims["organizations"] == []


def test_member_added_by_api_gets_organization_token(api, bookstore):
    added = api.post(f"{HARBOUR}/users", {"userIds": ["customer0001", "admin0000001"]})
    assert (added.status_code, added.json()) == (201, {"userIds": ["customer0001", "admin0000001"]})
    body = {"userIds": ["customer0001"], "organizationRoleIds": [MANAGER]}
    assert api.post(f"{HARBOUR}/users/roles", body).status_code == 201
    resource = "urn:logto:resource:organizations"
    tokens = bookstore.sign_in(scope=f"{ORGANIZATIONS} manage:stock", resource=resource)
    refreshed = bookstore.refresh(tokens["refresh_token"], organization_id="harbourbr001").json()
    assert claims_of(refreshed["access_token"])["scope"] == "manage:stock"
    assert claims_of(refreshed["id_token"])["organization_roles"] == ["harbourbr001:manager"]


def test_members_are_listed_replaced_and_removed(api):
    users = api.get(f"{HARBOUR}/users").json()
    assert [(user["username"], user["organizationRoles"][0]["name"]) for user in users] == [
        ("admin", "manager"),
        ("editor", "staff"),
        ("manager", "manager"),
        ("owner", "owner"),
    ]
    assert "hasPassword" not in users[0]
    assert [user["username"] for user in api.get(f"{HARBOUR}/users", organizationRoleId=STAFF).json()] == ["editor"]
    assert [user["username"] for user in api.get(f"{HARBOUR}/users", q="adm").json()] == ["admin"]
    assert api.put(f"{HARBOUR}/users", {"userIds": ["editor000001", "customer0001"]}).status_code == 204
    kept = api.get(f"{HARBOUR}/users").json()
    assert [user["username"] for user in kept] == ["customer", "editor"]
    assert kept[1]["organizationRoles"][0]["name"] == "staff"
    assert api.delete(f"{HARBOUR}/users/customer0001").status_code == 204
    assert api.delete(f"{HARBOUR}/users/customer0001").status_code == 404


def test_member_roles_are_set_by_id_and_name(api):
    path = f"{HARBOUR}/users/editor000001/roles"
    assert api.post(path, {"organizationRoleNames": ["manager"]}).status_code == 201
    assert [role["name"] for role in api.get(path).json()] == ["staff", "manager"]
    assert api.get(f"{HARBOUR}/users/editor000001/scopes").json()[0]["name"] == "manage:stock"
    assert api.put(path, {"organizationRoleIds": [STAFF]}).status_code == 204
    assert api.delete(f"{path}/{STAFF}").status_code == 204
    assert api.delete(f"{path}/{STAFF}").status_code == 404
    assert api.get(path).json() == []
    stranger = f"{HARBOUR}/users/customer0001/roles"
    assert code(api.get(stranger)) == (422, "organization.require_membership")
    assert code(api.post(stranger, {"organizationRoleIds": [STAFF]})) == (422, "organization.require_membership")


def test_unknown_reference_is_422_in_organization_routes(api):
    for path, body in (
        (f"{HARBOUR}/users", {"userIds": ["nope"]}),
        (f"{HARBOUR}/users/admin0000001/roles", {"organizationRoleIds": ["nope"]}),
        (f"{HARBOUR}/users/roles", {"userIds": ["customer0001"], "organizationRoleIds": [STAFF]}),
    ):
        assert code(api.post(path, body)) == (422, "entity.relation_foreign_key_not_found")
    answer = api.post(f"{HARBOUR}/users/admin0000001/roles", {"organizationRoleNames": ["nope"]})
    assert code(answer) == (422, "organization.role_names_not_found")


def test_machines_can_be_members(emulator, api):
    role = api.made("/organization-roles", {"name": "cleaner", "type": "MachineToMachine"})
    path = f"{HARBOUR}/applications"
    assert api.post(path, {"applicationIds": [api.machine.id]}).text == "Created"
    roles = f"{path}/{api.machine.id}/roles"
    assert code(api.post(roles, {"organizationRoleIds": [STAFF]})) == (422, "entity.db_constraint_violated")
    assert api.post(roles, {"organizationRoleIds": [role["id"]]}).status_code == 201
    assert api.get(path).json()[1]["organizationRoles"] == [{"id": role["id"], "name": "cleaner"}]
    assert api.get(f"/applications/{api.machine.id}/organizations").json()[0]["id"] == "harbourbr001"
    web = emulator.tenant.add_application(name="Web")
    assert code(api.post(path, {"applicationIds": [web.id]})) == (422, "entity.db_constraint_violated")


def test_organization_template_is_managed_by_api(api, bookstore):
    count = api.made("/organization-scopes", {"name": "count:stock"})
    assert list(count) == ["tenantId", "id", "name", "description"]
    assert code(api.post("/organization-scopes", {"name": "count:stock"}))[0] == 422
    role = api.made("/organization-roles", {"name": "counter", "organizationScopeIds": [count["id"]]})
    assert code(api.post("/organization-roles", {"name": "counter"}))[0] == 422
    api.post(f"{HARBOUR}/users/admin0000001/roles", {"organizationRoleIds": [role["id"]]})
    listed = next(each for each in api.get("/organization-roles").json() if each["id"] == role["id"])
    assert listed["scopes"] == [{"id": count["id"], "name": "count:stock"}]
    api.patch(f"/organization-scopes/{count['id']}", {"name": "check:stock"})
    api.patch(f"/organization-roles/{role['id']}", {"name": "checker"})
    names = [each["name"] for each in api.get(f"{HARBOUR}/users/admin0000001/scopes").json()]
    assert names == ["manage:stock", "invite:members", "manage:members", "check:stock"]
    claims = claims_of(bookstore.sign_in("admin", scope=ORGANIZATIONS)["id_token"])
    assert "harbourbr001:checker" in claims["organization_roles"]
    assert api.delete(f"/organization-roles/{role['id']}").status_code == 204
    assert [each["name"] for each in api.get(f"{HARBOUR}/users/admin0000001/roles").json()] == ["manager"]


def test_organization_permissions_of_role_are_changed(api):
    path = f"/organization-roles/{STAFF}/scopes"
    scope = next(each for each in api.get("/organization-scopes").json() if each["name"] == "manage:stock")
    assert api.post(path, {"organizationScopeIds": [scope["id"]]}).status_code == 201
    assert api.get(path).json() == [scope]
    assert api.delete(f"{path}/{scope['id']}").status_code == 204
    assert api.delete(f"{path}/{scope['id']}").status_code == 404
    assert api.put(path, {"organizationScopeIds": [scope["id"]]}).status_code == 204
    assert api.delete(f"/organization-scopes/{scope['id']}").status_code == 204
    assert api.get(path).json() == []
    assert code(api.post(path, {"organizationScopeIds": ["nope"]})) == (422, "entity.relation_foreign_key_not_found")


def test_api_permissions_of_organization_role_are_changed(api):
    path = f"/organization-roles/{STAFF}/resource-scopes"
    read, write = api.get("/resources/bookstoreapi000000001/scopes").json()
    assert api.post(path, {"scopeIds": [read["id"]]}).status_code == 201
    assert api.put(path, {"scopeIds": [read["id"], write["id"]]}).status_code == 204
    assert [each["name"] for each in api.get(path).json()] == ["read:books", "write:books"]
    assert api.delete(f"{path}/{read['id']}").status_code == 204
    listed = next(each for each in api.get("/organization-roles").json() if each["id"] == STAFF)
    assert listed["resourceScopes"] == [
        {"id": write["id"], "name": "write:books", "resource": {"id": "bookstoreapi000000001", "name": "Bookstore API"}}
    ]


def test_just_in_time_settings_are_changed(api):
    domains, roles = f"{HARBOUR}/jit/email-domains", f"{HARBOUR}/jit/roles"
    made = api.post(domains, {"emailDomain": "a.example"})
    assert made.status_code == 201
    assert made.json() == {"tenantId": "default", "organizationId": "harbourbr001", "emailDomain": "a.example"}
    assert code(api.post(domains, {"emailDomain": "a.example"}))[0] == 422
    assert api.put(domains, {"emailDomains": ["b.example", "c.example"]}).status_code == 204
    assert api.delete(f"{domains}/c.example").status_code == 204
    assert [each["emailDomain"] for each in api.get(domains).json()] == ["b.example"]
    assert api.post(roles, {"organizationRoleIds": [STAFF]}).status_code == 201
    assert api.put(roles, {"organizationRoleIds": [MANAGER]}).status_code == 204
    assert [each["name"] for each in api.get(roles).json()] == ["manager"]
    assert api.delete(f"{roles}/{MANAGER}").status_code == 204
    assert api.delete(f"{roles}/{MANAGER}").status_code == 404


def test_search_takes_the_wildcards_of_sql(api):
    assert [each["name"] for each in api.get("/organizations", q="har%branch").json()] == ["Harbour Branch"]
    assert [each["name"] for each in api.get("/organizations", q="hill_branch").json()] == ["Hill Branch"]
    assert api.get(f"{HARBOUR}/users", q="ed%bookstore.example").headers["Total-Number"] == "1"
    assert api.get(f"{HARBOUR}/users", q="ed.tor").json() == []


def test_unknown_role_has_no_members(api):
    assert api.get(f"{HARBOUR}/users", organizationRoleId="nope").json() == []


def test_roles_and_permissions_are_sorted_by_name(api):
    path = f"{HARBOUR}/users/editor000001/roles"
    api.post(path, {"organizationRoleIds": [MANAGER]})
    users = api.get(f"{HARBOUR}/users", q="editor").json()
    assert [role["name"] for role in users[0]["organizationRoles"]] == ["manager", "staff"]
    for kind in ("organization-roles", "organization-scopes"):
        api.made(f"/{kind}", {"name": "aaa"})
        assert api.get(f"/{kind}").json()[0]["name"] == "aaa"


def test_machines_have_no_route_for_permissions(api):
    assert api.get(f"{HARBOUR}/applications/{api.machine.id}/scopes").status_code == 404
    assert code(api.get("/applications/nope/organizations")) == (404, "entity.not_exists_with_id")

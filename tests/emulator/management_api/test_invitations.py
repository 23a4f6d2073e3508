"""`/api/organization-invitations`. Compared with Logto 1.42, with its connector for SMTP."""

import pytest

INVITATIONS = "/organization-invitations"
HARBOUR = "/organizations/harbourbr001"
MANAGER = "orgrolemanager0000001"
STAFF = "orgrolestaff000000001"
LINK = "https://bookstore.example/invitation?a=1&b=2"


def code(response):
    return response.status_code, response.json()["code"]


@pytest.fixture
def invitation(emulator, api):
    body = {
        "invitee": "Customer@bookstore.example",
        "organizationId": "harbourbr001",
        "expiresAt": emulator.clock.now_ms() + 60_000,
        "organizationRoleIds": [STAFF],
    }
    return api.made("/organization-invitations", body)


def test_accepted_invitation_adds_a_member(api, invitation):
    path = f"/organization-invitations/{invitation['id']}/status"
    other = api.put(path, {"status": "Accepted", "acceptedUserId": "editor000001"})
    assert code(other) == (422, "request.invalid_input")
    accepted = api.put(path, {"status": "Accepted", "acceptedUserId": "customer0001"}).json()
    assert (accepted["status"], accepted["acceptedUserId"]) == ("Accepted", "customer0001")
    assert [role["name"] for role in api.get(f"{HARBOUR}/users/customer0001/roles").json()] == ["staff"]
    assert code(api.put(path, {"status": "Revoked"})) == (422, "request.invalid_input")


def test_invitation_expires(emulator, api, invitation):
    emulator.clock.advance(61)
    path = f"/organization-invitations/{invitation['id']}"
    api.http.headers["Authorization"] = f"Bearer {api.token()}"
    assert api.get(path).json()["status"] == "Expired"
    refused = api.put(f"{path}/status", {"status": "Accepted", "acceptedUserId": "customer0001"})
    assert code(refused) == (422, "request.invalid_input")


def test_invalid_invitations_are_refused(emulator, api, invitation):
    body = {"invitee": "x@example.com", "organizationId": "harbourbr001", "expiresAt": emulator.clock.now_ms() + 60_000}
    path = "/organization-invitations"
    emulator.tenant.sign_in_experience.connector_instances.clear()
    assert code(api.post(path, {**body, "invitee": "editor@bookstore.example"})) == (422, "request.invalid_input")
    assert api.post(path, {**body, "invitee": invitation["invitee"]}).status_code == 422
    assert api.post(path, {**body, "expiresAt": 1}).status_code == 400
    assert api.post(path, {**body, "messagePayload": {"link": "x"}}).status_code == 501  # no e-mail connector
    assert api.post(path, {**body, "organizationId": "nope"}).status_code == 422


def test_invitations_are_listed_revoked_and_deleted(emulator, api, invitation):
    emulator.tenant.sign_in_experience.connector_instances.clear()
    path = f"/organization-invitations/{invitation['id']}"
    assert api.get("/organization-invitations", organizationId="harbourbr001").json() == [invitation]
    assert api.get("/organization-invitations", invitee="nobody@example.com").json() == []
    assert api.put(f"{path}/status", {"status": "Revoked"}).json()["status"] == "Revoked"
    assert api.post(f"{path}/message", {"link": "x"}).status_code == 501
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_unknown_invitation_without_user_is_422(api):
    # Logto looks at the body first.
    assert api.put(f"{INVITATIONS}/nope/status", {"status": "Accepted", "acceptedUserId": None}).status_code == 422
    assert api.put(f"{INVITATIONS}/nope/status", {"status": "Revoked"}).status_code == 404


def test_case_of_addresses_counts_where_logto_compares_it(emulator, api, invitation):
    body = {"organizationId": "harbourbr001", "expiresAt": emulator.clock.now_ms() + 60_000}
    other = api.made(INVITATIONS, {**body, "invitee": "customer@bookstore.example"})
    found = api.get(INVITATIONS, invitee="CUSTOMER@bookstore.example").json()
    assert [each["id"] for each in found] == [other["id"], invitation["id"]]
    member = api.made(INVITATIONS, {**body, "invitee": "Editor@bookstore.example"})
    accepted = api.put(f"{INVITATIONS}/{member['id']}/status", {"status": "Accepted", "acceptedUserId": "editor000001"})
    assert accepted.json()["status"] == "Accepted"


@pytest.mark.parametrize(
    "invitee", ["nomail", "a@b", "\u00fc@b.example", "a@b\u00fccher.example", "a..b@c.example", ""]
)
def test_address_that_zod_refuses_is_400(emulator, api, invitee):
    body = {"invitee": invitee, "organizationId": "harbourbr001", "expiresAt": emulator.clock.now_ms() + 60_000}
    assert code(api.post(INVITATIONS, body)) == (400, "guard.invalid_input")


def test_roles_are_sorted_by_name(emulator, api):
    body = {
        "invitee": "x@example.com",
        "organizationId": "harbourbr001",
        "expiresAt": emulator.clock.now_ms() + 60_000,
        "organizationRoleIds": [STAFF, MANAGER],
    }
    assert [role["name"] for role in api.made(INVITATIONS, body)["organizationRoles"]] == ["manager", "staff"]


def test_role_of_applications_prevents_acceptance(emulator, api):
    role = api.made("/organization-roles", {"name": "cleaner", "type": "MachineToMachine"})
    body = {
        "invitee": "customer@bookstore.example",
        "organizationId": "harbourbr001",
        "expiresAt": emulator.clock.now_ms() + 60_000,
        "organizationRoleIds": [STAFF, role["id"]],
    }
    path = f"{INVITATIONS}/{api.made(INVITATIONS, body)['id']}"
    accepted = api.put(f"{path}/status", {"status": "Accepted", "acceptedUserId": "customer0001"})
    assert code(accepted) == (422, "entity.db_constraint_violated")
    assert api.get(path).json()["status"] == "Pending"
    assert "customer0001" not in emulator.tenant.organizations["harbourbr001"].members


def test_invitations_end_with_their_inviter(emulator, api):
    body = {"organizationId": "harbourbr001", "expiresAt": emulator.clock.now_ms() + 60_000}
    made = api.made(INVITATIONS, {**body, "invitee": "x@example.com", "inviterId": "editor000001"})
    api.delete("/users/editor000001")
    assert api.get(f"{INVITATIONS}/{made['id']}").status_code == 404


# Messages


@pytest.fixture
def invite(emulator, api):
    """Invite an address by Logto's connector."""
    emulator.tenant.add_message_connectors()

    def invite(invitee="x@example.com", **payload):
        body = {
            "invitee": invitee,
            "organizationId": "harbourbr001",
            "inviterId": "editor000001",
            "expiresAt": emulator.clock.now_ms() + 60_000,
            "messagePayload": {"link": LINK, **payload},
        }
        return api.post(INVITATIONS, body)

    return invite


def test_message_has_link_organization_and_inviter(emulator, api, invite):
    invite(locale="de", own="text")
    (message,) = emulator.messages.to("x@example.com")
    assert message.type == "OrganizationInvitation"
    assert message.payload["organization"] == {"id": "harbourbr001", "name": "Harbour Branch", "branding": {}}
    assert message.payload["inviter"]["primaryEmail"] == "editor@bookstore.example"
    assert (message.payload["locale"], message.payload["own"]) == ("de", "text")
    assert emulator.messages.link_for("x@example.com") == LINK


def test_message_without_link_is_sent(emulator, api, invite):
    invitation = invite().json()
    assert api.post(f"{INVITATIONS}/{invitation['id']}/message", {}).status_code == 204
    assert [("link" in each.payload) for each in emulator.messages.to("x@example.com")] == [True, False]
    assert code(api.post(f"{INVITATIONS}/{invitation['id']}/message", {"link": 1})) == (400, "guard.invalid_input")


def test_failed_message_leaves_no_invitation(emulator, api, invite):
    emulator.faults.messages_fail = True
    assert code(invite()) == (400, "connector.general")
    assert api.get(INVITATIONS, invitee="x@example.com").json() == []


def test_eleventh_message_to_an_address_is_429(emulator, api, invite):
    invitation = invite().json()
    again = [api.post(f"{INVITATIONS}/{invitation['id']}/message", {"link": LINK}).status_code for _ in range(10)]
    assert again == [204] * 9 + [429]
    assert code(invite("X@example.com")) == (429, "request.message_rate_limited")
    assert [each["id"] for each in api.get(INVITATIONS, invitee="x@example.com").json()] == [invitation["id"]]
    emulator.clock.advance(601)
    assert invite("X@example.com").status_code == 201


def test_messages_page_shows_the_link(emulator, api, invite):
    invite()
    page = api.http.get(f"{emulator.endpoint}/emulator/messages", timeout=5).text
    assert f'href="{LINK.replace("&", "&amp;")}"' in page

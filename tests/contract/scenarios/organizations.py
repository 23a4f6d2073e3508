"""Organizations, their template, members, invitations and just-in-time provisioning."""

from __future__ import annotations

from collections.abc import Callable

from logto_auth.emulator import Visitor
from tests.emulator.relying_party import CALLBACK, RelyingParty, parameters_of

from .play import Scenario, Stage, client_authentication

API = "https://r3-bookstore.example/api"
_BRANCH, _ALICE, _NEW_NAME = "ntc3206j6gli", "dno2js30dta3", "epg0wpnam14q"
_MEMBER, _SECOND_MEMBER, _INVITED = "xuh36kedqb73", "v1keon76uk10", "gbshr558bv1p"
_MACHINE, _USER_OF_JIT_DOMAIN = "pcumszm8zwed7i88rvzpx", "gkqzfeuyc4pl"
_WEB = "pmnlbwb2se4ahi3ln7uux"
_REFRESH_TOKEN = "qH9kPJIaFcKmvupZUP6_SxZLiCKpeTUbzSQ1lesJcPd"
_PLAIN_REFRESH_TOKEN = "TN8CSVezKcbpnadOP0cF2Cg7K-PM5xRLBw0SOtGPzuI"


def _seed(stage: Stage) -> None:
    tenant = stage.emulator.tenant
    # The invited user, who signs in, has only an e-mail.
    tenant.sign_in_experience.sign_up_identifiers = []
    resource = tenant.add_resource(API, name="r3 Bookstore API", id="p6knziyc9wikta54aado5")
    for name, scope_id in (("read:books", "ruqnl0w2zb3lnxogblt9k"), ("write:books", "9qwsfoc0blpi0wiwm5a0e")):
        tenant.add_scope(resource, name, description=name).id = scope_id
    tenant.add_organization_scope("r3manage:inventory").id = "r90htk6du0pfqy2ltazeb"
    tenant.add_organization_role(
        "r3manager",
        scopes=["r3manage:inventory"],
        resource_scopes={API: ["write:books", "read:books"]},
        id="85w0yy231cp3umtgz5to1",
    )
    tenant.add_organization_role("r3machine", type="MachineToMachine", id="sq8a9i2d7x1nr999vfuat")
    tenant.add_user(id=_ALICE, username="r3alice", name="Alice A")
    tenant.add_user(id=_NEW_NAME, username="r3acca497", name="New Name", avatar="https://example.com/a.png")
    tenant.add_user(id=_MEMBER, username="r3member24aa", primary_email="r3member24aa@example.com", name="Mem")
    tenant.add_user(id=_SECOND_MEMBER, username="r3member224aa")
    tenant.add_user(id=_INVITED, primary_email="r3inv24aa@example.com")
    tenant.add_user(id=_USER_OF_JIT_DOMAIN, primary_email="r3jit@r324aa.example")
    web = tenant.add_application(name="r3 plain", id=_WEB, redirect_uris=[CALLBACK])
    machine = tenant.add_application(name="r3 orgm2m", type="MachineToMachine", id=_MACHINE)
    stage.tokens.update({each.id: client_authentication(each) for each in (web, machine)})
    tenant.add_organization("r3 Branch One", id=_BRANCH)
    tenant.add_member(_BRANCH, _ALICE)
    tenant.add_member(_BRANCH, _NEW_NAME)


def _add_email_connector(stage: Stage) -> None:
    """Add an e-mail connector; that of the recorded Logto was a mock."""
    usages = ("SignIn", "Register", "ForgotPassword", "Generic", "OrganizationInvitation")
    templates = [{"usageType": usage, "content": "{{code}} {{link}}", "contentType": "text/plain"} for usage in usages]
    auth = {"user": "user", "pass": "pass"}
    config = {"host": "h", "port": 25, "auth": auth, "fromEmail": "r3@example.com", "templates": templates}
    stage.api.made("/connectors", {"connectorId": "simple-mail-transfer-protocol", "config": config})


def _invite_and_wait(stage: Stage) -> None:
    """Add an invitation, which expires."""
    body = {
        "invitee": "r3exp24aa@example.com",
        "organizationId": stage.names.own("gt684esi9gg6"),
        "expiresAt": stage.emulator.clock.now_ms() + 1500,
    }
    stage.names.learn("rmloz7jqyn431gis5bgh5", stage.api.made("/organization-invitations", body)["id"])
    stage.emulator.clock.advance(2)


def _sign_in(refresh_token: str, scope: str) -> Callable[[Stage], None]:
    """Sign in the invited user. The new refresh token stands for a recorded one."""

    def step(stage: Stage) -> None:
        application = stage.emulator.tenant.applications[_WEB]
        relying_party = RelyingParty(stage.emulator, application)
        with Visitor(stage.emulator) as visitor:
            url = relying_party.authorization_url(scope=scope, resource="urn:logto:resource:organizations")
            code = parameters_of(visitor.sign_in(url, "r3inv24aa@example.com"))["code"]
        stage.names.learn(refresh_token, relying_party.exchange(code).json()["refresh_token"])
        relying_party.http.close()

    return step


def _give_machine_permissions(stage: Stage) -> None:
    role = stage.emulator.tenant.find_organization_role("r3machine")
    assert role is not None
    role.scopes, role.resource_scopes = ["r3scope:24aa"], {API: ["read:books"]}


def _leave(stage: Stage) -> None:
    stage.emulator.tenant.remove_member(stage.names.own("gt684esi9gg6"), _INVITED)


def _release_from_mfa(stage: Stage) -> None:
    stage.emulator.tenant.organizations[stage.names.own("gt684esi9gg6")].is_mfa_required = False


SCENARIO = Scenario(
    "organizations",
    _seed,
    (
        # Organizations
        "created",
        "created_minimal",
        "accepted_own_id",
        "accepted_unknown_key",
        "error_no_name",
        "error_empty_name",
        "error_long_name",
        "error_bad_branding",
        "read",
        "renamed",
        "custom_data_replaced",
        "list",
        "list_featured",
        "error_patch_empty",
        "error_patch_unknown",
        "error_unknown",
        "error_delete_unknown",
        "error_user_organizations_unknown",
        # The template
        "role_created",
        "scope_created",
        "accepted_scope_space",
        "error_scope_duplicate",
        "error_role_duplicate",
        "error_role_bad_type",
        "error_role_unknown_scope",
        "role_scopes_added",
        "role_scopes",
        "role_resource_scopes_added",
        "role_resource_scopes",
        "error_role_resource_scope_unknown",
        "roles_list",
        # Members
        "error_member_unknown",
        "error_members_bad_body",
        "error_members_empty",
        "error_members_mixed",
        "error_members_unknown_organization",
        "members_added",
        "members_added_again",
        "members_list",
        "members_search",
        "members_replaced",
        "error_member_remove_not_member",
        "error_role_not_member",
        "accepted_member_scopes_not_member",
        "error_role_remove_not_assigned",
        "error_role_unknown",
        "error_role_unknown_name",
        "error_user_role_m2m_type",
        "member_roles_assigned",
        "member_roles",
        "member_scopes",
        "member_roles_by_name",
        "accepted_role_empty",
        "accepted_role_no_body",
        "user_organizations",
        "roles_bulk",
        "member_roles_replaced",
        # Machine-to-machine applications
        "error_applications_unknown",
        "error_applications_web",
        "applications_added",
        "applications_list",
        "error_application_role_user_type",
        "application_roles_assigned",
        # Just-in-time provisioning
        "jit_domain_added",
        "error_jit_domain_twice",
        "error_jit_domain_unknown",
        "accepted_jit_domain_bad",
        "jit_domains",
        "jit_user_by_management_api",
        "jit_domains_replaced",
        "jit_roles_added",
        "jit_roles",
        "error_jit_role_unknown",
        "jit_sso",
        "error_jit_sso_unknown",
        # Invitations
        _add_email_connector,
        "invitation_created",
        "invitation_with_message",
        "invitation_read",
        "accepted_invitation_inviter",
        "error_invitation_bad_email",
        "error_invitation_member",
        "error_invitation_no_expiry",
        "error_invitation_past",
        "error_invitation_twice",
        "error_invitation_unknown",
        "error_invitation_unknown_organization",
        "error_invitation_unknown_role",
        "invitations_list",
        "invitations_by_invitee",
        "invitation_message_sent",
        "error_invitation_accept_no_user",
        "error_invitation_accept_unknown_user",
        "error_invitation_accept_other_email",
        "invitation_accepted",
        "error_invitation_accept_twice",
        "member_after_invitation",
        "invitation_revoked",
        "error_invitation_revoke_twice",
        "error_invitation_status_expired",
        "accepted_invitation_message_revoked",
        "invitation_deleted",
        _invite_and_wait,
        "invitation_expired",
        # Tokens of members, and the end of an organization
        _give_machine_permissions,
        "m2m_organization_token",
        "m2m_organization_resource_token",
        _sign_in(_REFRESH_TOKEN, "openid offline_access urn:logto:scope:organizations r3scope:24aa"),
        _sign_in(_PLAIN_REFRESH_TOKEN, "openid offline_access"),
        "token_member",
        "token_scope_missing",
        "mfa_required",
        "token_mfa_required",
        _release_from_mfa,
        _leave,
        "token_not_member_any_more",
        "deleted",
        "token_organization_deleted",
        "read_deleted",
    ),
    recorded_at=1795884056,
    in_any_order=frozenset({"jit_domains", "members_list", "members_search", "role_resource_scopes"}),
    kept_only=frozenset({"invitations_list", "list_featured", "roles_list"}),
    auth={
        "m2m_organization_token": _MACHINE,
        "m2m_organization_resource_token": _MACHINE,
        "token_member": _WEB,
        "token_scope_missing": _WEB,
        "token_mfa_required": _WEB,
        "token_not_member_any_more": _WEB,
        "token_organization_deleted": _WEB,
    },
)

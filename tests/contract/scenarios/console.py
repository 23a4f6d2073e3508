"""What the console of organizations calls: enterprise connectors, joining by oneself, invitations, one-time tokens."""

from __future__ import annotations

from .play import Scenario, Stage

_OWNER, _STAFF = "pwqxc0z75niz", "74bh1yxrdcmk"
_OWNER_ROLE, _CLERK_ROLE = "k2iqk4p3htbf32t9cucen", "qaxrtlmtsi01hjre5w4fo"
_SENT_INVITATION = "5b8hsnvjdc5cf1d9j3lxo"


def _seed(stage: Stage) -> None:
    tenant = stage.emulator.tenant
    tenant.add_organization_role("c7owner", id=_OWNER_ROLE)
    tenant.add_organization_role("c7clerk", id=_CLERK_ROLE)
    tenant.add_user(id=_OWNER, username="c7owner", primary_email="c7owner@example.com", name="Owner")
    tenant.add_user(id=_STAFF, username="c7staff", primary_email="c7Staff@example.com")


def _add_email_connector(stage: Stage) -> None:
    stage.emulator.tenant.add_message_connectors()


def _refuse_messages(stage: Stage) -> None:
    stage.emulator.faults.messages_fail = True


def _accept_messages(stage: Stage) -> None:
    stage.emulator.faults.messages_fail = False


def _send_eight_times(stage: Stage) -> None:
    path = f"/organization-invitations/{stage.names.own(_SENT_INVITATION)}/message"
    for _ in range(8):
        assert stage.api.post(path, {"link": "https://bookstore.example/x"}).status_code == 204


def _delete_inviter(stage: Stage) -> None:
    stage.emulator.tenant.delete_user(_OWNER)


def _add_token_of_another_test(stage: Stage) -> None:
    stage.emulator.tenant.add_one_time_token("other@example.com")


SCENARIO = Scenario(
    "console",
    _seed,
    (
        # Organizations and members
        "organization_created",
        "organizations_by_wildcard",
        "error_organization_long_description",
        "member_added",
        "members_of_unknown_role",
        "member_roles_added",
        "member_organizations",
        "member_role_removed",
        "error_member_role_removed_twice",
        "member_roles_replaced_twice_the_same",
        "error_scopes_of_unknown_role",
        "error_organizations_of_unknown_application",
        "error_scopes_of_application",
        # Enterprise connectors
        "sso_providers",
        "sso_none",
        "sso_created",
        "sso_saml_created",
        "sso_read",
        "sso_saml_read",
        "sso_list",
        "error_sso_empty",
        "error_sso_unknown_provider",
        "error_sso_name_taken",
        "error_sso_public_domain",
        "error_sso_domain_twice",
        "error_sso_bad_config",
        "error_sso_token_storage",
        "sso_changed",
        "sso_change_of_nothing",
        "error_sso_change_unknown",
        "error_sso_unknown",
        "error_sso_delete_unknown",
        # Connectors that organizations link
        "jit_sso_added",
        "jit_sso_added_again",
        "jit_sso_list",
        "jit_sso_page",
        "error_jit_sso_mixed",
        "error_jit_sso_none",
        "error_jit_sso_replaced_by_two_of_one",
        "jit_sso_replaced",
        "error_jit_sso_not_linked",
        "jit_sso_removed",
        "jit_sso_linked",
        "sso_deleted",
        "jit_sso_after_deletion",
        # Just-in-time domains and roles
        "jit_domain_added",
        "jit_domain_added_in_upper_case",
        "jit_domain_removed",
        "error_jit_domain_long",
        "error_jit_domains_twice",
        "jit_domains_after_refusal",
        "jit_domains_of_unknown_organization",
        "jit_nothing_for_unknown_organization",
        "error_jit_roles_twice",
        "jit_role_added",
        "jit_role_removed",
        "error_jit_role_removed_twice",
        # Invitations
        "invitation_created",
        "invitation_in_other_case",
        "invitations_of_any_case",
        "error_invitation_member",
        "invitation_of_member_in_other_case",
        "error_invitation_not_ascii",
        "error_invitation_long",
        "error_invitation_no_connector",
        "error_invitation_bad_payload",
        "error_invitation_unknown_without_user",
        "error_invitation_revoke_unknown",
        "error_invitation_message_unknown",
        "invitation_accepted_by_member",
        "invitation_revoked",
        "error_invitation_accept_revoked",
        "invitation_created_after_revocation",
        _add_email_connector,
        _refuse_messages,
        "error_invitation_message_fails",
        "invitations_after_failed_message",
        _accept_messages,
        "invitation_sent",
        "invitation_sent_without_link",
        _send_eight_times,
        "error_invitation_message_limit",
        "error_invitation_limit_in_other_case",
        _delete_inviter,
        "error_invitation_of_deleted_inviter",
        "error_invitation_accepted_by_deleted_user",
        # One-time tokens
        "token_created",
        "token_with_context",
        "token_with_empty_context",
        "error_token_no_email",
        "error_token_long_email",
        "error_token_no_time",
        "error_token_bad_event",
        _add_token_of_another_test,
        "tokens_page",
        "error_tokens_bad_email",
        "error_tokens_bad_status",
        "error_token_reactivated",
        "token_revoked",
        "token_deleted",
        "error_token_deleted_twice",
        "error_token_unknown",
        # The end
        "organization_deleted",
    ),
    recorded_at=1795953295,
    in_any_order=frozenset({"sso_list"}),
)

"""The messages of errors, by code.

Clients should branch on the code. Source: recorded from Logto 1.42. The last group was not recorded; its codes are
Logto's and its texts are ours.
"""

from __future__ import annotations

import re

_MESSAGES = {
    "account_center.field_not_editable": "Field is not editable.",
    "account_center.field_not_enabled": "Field is not enabled.",
    "account_center.not_enabled": "Account center is not enabled.",
    "action.general": "An error occurred while running the action. Please try again later.",
    "application.consent_management_api_scopes_not_allowed": "Management API scopes are not allowed.",
    "application.device_flow_not_changeable": "Device flow cannot be changed after application creation.",
    "application.invalid_role_type": "Can not assign user type role to machine to machine application.",
    "application.invalid_type": "Only machine to machine applications can have associated roles.",
    "application.secret_name_exists": "Secret name already exists.",
    "application.third_party_application_cannot_enable_token_exchange": (
        "Third-party applications are not allowed to enable token exchange."
    ),
    "application.third_party_application_only": "The feature is only available for third-party applications.",
    "application.user_consent_scopes_not_found": "Invalid user consent scopes.",
    "auth.authorization_header_missing": "Authorization header is missing.",
    "auth.authorization_token_type_not_supported": "Authorization type is not supported.",
    "auth.forbidden": "Forbidden. Please check your user roles and permissions.",
    "auth.third_party_application_forbidden": "Third-party applications cannot modify account data through this API.",
    "auth.unauthorized": "Unauthorized. Please check credentials and its scope.",
    "connector.general": "Error occurred in connector: {{description}}",
    "connector.invalid_certificate": (
        "The connector's certificate is invalid, please make sure the certificate is in PEM encoding."
    ),
    "connector.invalid_config": "The connector's config is invalid.",
    "connector.invalid_metadata": "The connector's metadata is invalid.",
    "connector.invalid_response": "The connector's response is invalid.",
    "connector.multiple_instances_not_supported": "Can not create multiple instance with picked standard connector.",
    "connector.not_found": "Cannot find any available connector for type: {{type}}.",
    "connector.not_found_with_connector_id": "Can not find connector with given standard connector id.",
    "entity.db_constraint_violated": "Database constraint violated.",
    "entity.invalid_input": "Invalid input. {{details}}",
    "entity.not_exists": "The {{name}} does not exist.",
    "entity.not_exists_with_id": "The {{name}} with ID `{{id}}` does not exist.",
    "entity.not_found": "The resource does not exist.",
    "entity.relation_foreign_key_not_found": (
        "Cannot find one or more foreign keys. Please check the input and ensure that all referenced entities exist."
    ),
    "entity.unique_integrity_violation": "The entity already exists. Please check the input and try again.",
    "entity.value_too_long": "The length of value is too long and exceeds the limit.",
    "guard.invalid_input": "The request {{type}} is invalid.",
    "guard.invalid_pagination": "The request pagination value is invalid.",
    "hook.endpoint_responded_with_error": "Endpoint responded with error.",
    "hook.send_test_payload_failed": "Failed to send test payload: {{message}}",
    "jwt_customizer.general": "An error occurred while customizing the token claims. Please try again later.",
    "oidc.invalid_grant": "Grant request is invalid.",
    "oidc.invalid_request": "Request is invalid.",
    "oidc.invalid_session_account_id": "Session accountId mismatch.",
    "oidc.key_not_found": "Key with ID {{id}} is not found.",
    "oidc.only_previous_key_can_be_deleted": "Only a previous key can be deleted.",
    "oidc.session_not_found": "Session not found.",
    "one_time_token.cannot_reactivate_token": "Cannot reactivate the token.",
    "one_time_token.email_mismatch": "Email mismatch with given token.",
    "one_time_token.token_consumed": "The token has been consumed.",
    "one_time_token.token_expired": "The token is expired.",
    "one_time_token.token_not_found": "Token {{token}} not found.",
    "one_time_token.token_revoked": "The token has been revoked.",
    "organization.require_membership": "The user must be a member of the organization to proceed.",
    "organization.role_names_not_found": (
        "Invalid role names detected: {{names}}. Please create these roles first before proceeding."
    ),
    "password.invalid_legacy_password_format": "Invalid legacy password format.",
    "password.rejected": "Password rejected. Please check if your password meets the requirements.",
    "password.unsupported_legacy_hash_algorithm": "Unsupported legacy hash algorithm: {{algorithm}}.",
    "request.invalid_input": "Input is invalid. {{details}}",
    "request.feature_not_supported": "This feature is not supported in the current environment.",
    "request.message_rate_limited": "Too many messages sent to this recipient. Please try again later.",
    "resource.cannot_delete_management_api": "Cannot delete Logto Management API.",
    "resource.cannot_modify_management_api": "Cannot modify Logto Management API.",
    "resource.resource_identifier_in_use": "The API identifier {{name}} is already in use",
    "role.name_in_use": "This role name {{name}} is already in use",
    "role.scope_exists": "The scope id {{id}} has already been added to this role",
    "scope.name_exists": "The scope name {{name}} is already in use",
    "scope.name_with_space": "The name of the scope cannot contain any spaces.",
    "secrets.third_party_token_set.token_not_found": "Token record not found.",
    "session.invalid_connector_id": "Unable to find available connector with id {{connectorId}}.",
    "session.invalid_credentials": "Incorrect account or password. Please check your input.",
    "session.verification_blocked_too_many_attempts": (
        "Too many attempts in a short time. Please try again {{relativeTime}}."
    ),
    "session.mfa.backup_code_can_not_be_alone": "Backup code can not be the only MFA.",
    "session.mfa.invalid_backup_code": "Invalid backup code.",
    "session.mfa.invalid_totp_code": "Invalid TOTP code.",
    "session.mfa.require_mfa_verification": "Mfa verification is required to sign in.",
    "session.mfa.webauthn_verification_failed": "WebAuthn verification failed.",
    "single_sign_on.duplicate_connector_name": "Connector name already exists. Please choose a different name.",
    "single_sign_on.duplicated_domains": "There are duplicate domains.",
    "single_sign_on.forbidden_domains": "Public email domains are not allowed.",
    "user.email_already_in_use": "This email is associated with an existing account.",
    "user.identity_already_in_use": "The social account has been associated with an existing account.",
    "user.identity_not_exist": "The social account has not been registered yet.",
    "user.invalid_role_type": "Invalid role type, can not assign machine-to-machine role to user.",
    "user.last_sign_in_method_required": "You need to keep at least one identifier in your account.",
    "user.password_algorithm_required": "Password algorithm is required.",
    "user.password_and_digest": "You cannot set both plain text password and password digest.",
    "user.personal_access_token_name_exists": "Personal access token name already exists.",
    "user.phone_already_in_use": "This phone number is associated with an existing account.",
    "user.totp_already_in_use": "TOTP is already in use.",
    "user.totp_secret_invalid": "Invalid TOTP secret supplied.",
    "user.username_already_in_use": "This username is already in use.",
    "user.wrong_backup_code_format": "Backup code format is invalid.",
    "verification_code.code_mismatch": "Invalid verification code.",
    "verification_code.email_mismatch": "Email mismatch. Please request a new verification code.",
    "verification_code.not_found": "Verification code not found. Please send verification code first.",
    "verification_record.not_found": "Verification record not found.",
    "verification_record.permission_denied": "Permission denied, please re-authenticate.",
    # Not recorded
    "auth.jwt_sub_missing": "The token has no `sub`.",
    "connector.social_auth_code_invalid": "The social provider does not know the authorization code.",
    "connector.template_not_found": "The connector has no template for this message.",
    "guard.file_size_exceeded": "The file is too large.",
    "guard.mime_type_not_allowed": "The file is not an image of an accepted type.",
    "session.email_blocklist.email_not_allowed": "The e-mail address {{email}} is not accepted.",
    "session.email_blocklist.email_subaddressing_not_allowed": "An e-mail address with + is not accepted.",
    "session.insufficient_info": "The state or the redirect URI is missing.",
    "session.mfa.mfa_factor_not_enabled": "This type of factor is not enabled.",
    "sign_in_experiences.adaptive_mfa_requires_mfa": "Adaptive MFA needs a type of second factor.",
    "sign_in_experiences.adaptive_mfa_requires_non_skippable_policy": "Adaptive MFA needs a policy without skipping.",
    "sign_in_experiences.backup_code_cannot_be_enabled_alone": "Backup codes need another type of second factor.",
    "sign_in_experiences.duplicated_mfa_factors": "A type of second factor is listed twice.",
    "sign_in_experiences.non_adaptive_mfa_requires_skippable_policy": "Only adaptive MFA may have this policy.",
    "storage.not_configured": "Logto has no storage for files.",
    "user.backup_code_already_in_use": "There are unused backup codes.",
    "user.same_password": "The new password is the old one.",
    "verification_code.exceed_max_try": "There were too many wrong codes.",
    "verification_code.expired": "The code has expired.",
    "verification_code.phone_mismatch": "The code was sent to another phone number.",
}


def message_of(code: str, values: dict[str, object]) -> str:
    """Return the message of a code. As in Logto, a placeholder without a value stays in the text."""
    template = _MESSAGES.get(code, f"Refused: {code}.")
    return re.sub(r"{{(\w+)}}", lambda found: str(values.get(found[1], found[0])), template)

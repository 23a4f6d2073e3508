"""Where the OpenAPI document contradicts recorded HTTP. The recordings are right, and the document is corrected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["DEVIATIONS", "ERRORS_FROM_SOURCE", "Deviation"]

NO_STATUS = "the document does not have this status"
# Errors of the emulator that are neither in the document nor recorded. The document does not list all errors of Logto,
# and it has the operations of the development head, such as /configs/cimd.
ERRORS_FROM_SOURCE = frozenset(
    f"{operation}, answer {status}: {NO_STATUS}"
    for operation, status in {
        "DELETE /organization-roles/{id}/resource-scopes/{scopeId}": 404,
        "DELETE /organization-roles/{id}/scopes/{organizationScopeId}": 404,
        "DELETE /cimd/user-consent-scopes/{scopeType}/{scopeId}": 404,
        "GET /cimd/user-consent-scopes": 404,
        "GET /configs/cimd": 404,
        "PATCH /configs/cimd": 404,
        "POST /cimd/user-consent-scopes": 404,
        "POST /custom-profile-fields": 422,
        "POST /user-assets": 400,
    }.items()
)

Content = dict[str, Any]


@dataclass(frozen=True)
class Deviation:
    """A correction of the document. Without it, the document contradicts each of `recordings`."""

    name: str
    reason: str
    recordings: tuple[str, ...]
    """Names with the version, such as `1.42/mgmt_users_page`."""
    apply: Callable[[Content], None]


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield all objects in the document."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _properties(content: Content, name: str) -> Iterator[dict[str, Any]]:
    """Yield the schemas of all properties of this name."""
    for each in _objects(content):
        properties = each.get("properties")
        if isinstance(properties, dict) and name in properties:
            yield properties[name]


def _payload(content: Content, method: str, path: str) -> dict[str, Any]:
    operation = content["paths"][f"/api{path}"][method]
    schema: dict[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    return schema


def _addresses_are_strings(content: Content) -> None:
    for name in ("redirectUris", "postLogoutRedirectUris"):
        for each in _properties(content, name):
            each["items"] = {"type": "string"}


def _unions_may_overlap(content: Content) -> None:
    for each in _objects(content):
        if isinstance(each.get("oneOf"), list):
            each["anyOf"] = each.pop("oneOf")


def _message_is_optional(content: Content) -> None:
    _payload(content, "post", "/organization-invitations")["required"].remove("messagePayload")


def _role_needs_no_permissions(content: Content) -> None:
    _payload(content, "post", "/organization-roles")["required"] = ["name"]


def _status_text_is_sent(content: Content) -> None:
    changes = [item[method] for item in content["paths"].values() for method in item.keys() - {"get"}]
    for answer in [each for change in changes for each in change["responses"].values()]:
        if answer.get("content", {}).get("application/json") == {}:
            answer["content"] = {"text/plain": {"schema": {"type": "string"}}}


def _acceptance_may_be_404(content: Content) -> None:
    answers = content["paths"]["/api/organization-invitations/{id}/status"]["put"]["responses"]
    answers["404"] = {"description": "Not Found"}


def _console_errors_are_missing(content: Content) -> None:
    for path, method, status in (
        ("/organization-invitations/{id}/message", "post", 404),
        ("/organizations/{id}/jit/email-domains", "put", 422),
        ("/organizations/{id}/jit/roles/{organizationRoleId}", "delete", 404),
        ("/organizations/{id}/jit/sso-connectors/{ssoConnectorId}", "delete", 404),
    ):
        content["paths"][f"/api{path}"][method]["responses"][str(status)] = {"description": "Error"}


def _personal_access_token_errors_are_missing(content: Content) -> None:
    operations = content["paths"]["/api/users/{userId}/personal-access-tokens"]
    for method, status in (("patch", 422), ("post", 404)):
        operations[method]["responses"][str(status)] = {"description": "Error"}


def _payloads_of_logs_are_open(content: Content) -> None:
    for path, item in content["paths"].items():
        if path.endswith("/recent-logs"):
            for each in _properties(item, "payload"):
                each["additionalProperties"] = True


def _payloads_of_grants_are_open(content: Content) -> None:
    for path in ("/api/users/{userId}/grants",):
        for each in _properties(content["paths"][path], "payload"):
            each["additionalProperties"] = True


def _delete_account_url_is_a_string(content: Content) -> None:
    _payload(content, "patch", "/account-center")["properties"]["deleteAccountUrl"] = {
        "type": "string",
        "nullable": True,
    }


def _cimd_client_id_is_optional(content: Content) -> None:
    for each in _objects(content):
        if isinstance(each.get("required"), list) and "cimdClientId" in each["required"]:
            each["required"].remove("cimdClientId")


DEVIATIONS = (
    Deviation(
        "redirect URIs are strings",
        "The document says that they are objects.",
        ("1.42/mgmt_application_created", "1.42/errors/application_custom_scheme"),
        _addresses_are_strings,
    ),
    Deviation(
        "unions may overlap",
        "The document says oneOf: a value fits exactly one member. Logto accepts and sends values that fit several.",
        ("1.42/tokens/jwt_customizer_created",),
        _unions_may_overlap,
    ),
    Deviation(
        "an invitation needs no messagePayload",
        "Without it Logto sends no message.",
        ("1.42/organizations/invitation_created",),
        _message_is_optional,
    ),
    Deviation(
        "an organization role needs no permissions",
        "The document requires organizationScopeIds and resourceScopeIds. Logto takes missing ones as empty.",
        ("1.42/organizations/role_created",),
        _role_needs_no_permissions,
    ),
    Deviation(
        "an answer that confirms a change is text",
        "The document says JSON without a schema. Logto sends Created or OK as plain text.",
        ("1.42/organizations/role_scopes_added", "1.42/organizations/jit_roles_added"),
        _status_text_is_sent,
    ),
    Deviation(
        "an invitation of an unknown user is 404",
        "The document does not have this status for accepting an invitation.",
        ("1.42/organizations/error_invitation_accept_unknown_user",),
        _acceptance_may_be_404,
    ),
    Deviation(
        "errors of invitations and joining by oneself",
        "The document does not have these statuses.",
        (
            "1.42/console/error_invitation_message_unknown",
            "1.42/console/error_jit_domains_twice",
            "1.42/console/error_jit_role_removed_twice",
            "1.42/console/error_jit_sso_not_linked",
        ),
        _console_errors_are_missing,
    ),
    Deviation(
        "errors of personal access tokens",
        "The document does not have the statuses for a taken new name, and for an unknown user.",
        ("1.42/tokens/personal_access_token_rename_taken", "1.42/tokens/personal_access_token_unknown_user"),
        _personal_access_token_errors_are_missing,
    ),
    Deviation(
        "payloads of logs have more keys",
        "Each kind of log has keys of its own, such as hookRequest.",
        ("1.42/tenant/hook_recent_logs",),
        _payloads_of_logs_are_open,
    ),
    Deviation(
        "payloads of grants have more keys",
        "The grants hold openid, resources and rejected too.",
        ("1.42/tokens/user_grants",),
        _payloads_of_grants_are_open,
    ),
    Deviation(
        "the URL that deletes an account is a string",
        "The document says that a change has an object. Logto reads a string, and refuses one that is no URL.",
        ("1.42/account/account_center_bad_delete_url",),
        _delete_account_url_is_a_string,
    ),
    Deviation(
        "cimdClientId is optional",
        "It belongs to the development head. Logto 1.41 and 1.42.0 do not send it.",
        ("1.41/mgmt_users_page",),
        _cimd_client_id_is_optional,
    ),
)

"""The operations that the package calls, and the names of the types of their payloads and answers.

The type of a list is that of its rows. `generate` reads this table, and a test compares it with the methods of
`management_api.resources`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["OPERATIONS", "Names"]


class Names(NamedTuple):
    """The names of the types of a payload and of an answer. Empty if there is none."""

    payload: str = ""
    answer: str = ""


OPERATIONS = {
    "GET /applications": Names(answer="Application"),
    "POST /applications": Names("NewApplication", "Application"),
    "GET /applications/{id}": Names(answer="Application"),
    "PATCH /applications/{id}": Names("ApplicationChanges", "Application"),
    "DELETE /applications/{id}": Names(),
    "GET /applications/{id}/secrets": Names(answer="ApplicationSecret"),
    "GET /users": Names(answer="User"),
    "POST /users": Names("NewUser", "User"),
    "GET /users/{userId}": Names(answer="User"),
    "PATCH /users/{userId}": Names("UserChanges", "User"),
    "DELETE /users/{userId}": Names(),
    "PATCH /users/{userId}/is-suspended": Names("Suspension", "User"),
    "PATCH /users/{userId}/custom-data": Names("CustomDataChanges"),
    "PATCH /users/{userId}/profile": Names("ProfileChanges", "Profile"),
    "GET /users/{userId}/roles": Names(answer="Role"),
    "DELETE /users/{userId}/roles/{roleId}": Names(),
    "GET /users/{userId}/organizations": Names(answer="OrganizationOfMember"),
    "GET /users/{userId}/sessions": Names(answer="Sessions"),
    "DELETE /users/{userId}/sessions/{sessionId}": Names(),
    "GET /roles": Names(answer="Role"),
    "POST /roles": Names("NewRole", "Role"),
    "GET /roles/{id}": Names(answer="Role"),
    "PATCH /roles/{id}": Names("RoleChanges", "Role"),
    "DELETE /roles/{id}": Names(),
    "GET /roles/{id}/scopes": Names(answer="Scope"),
    "POST /roles/{id}/scopes": Names("ScopeIds"),
    "GET /roles/{id}/users": Names(answer="User"),
    "GET /resources": Names(answer="Resource"),
    "POST /resources": Names("NewResource", "Resource"),
    "GET /resources/{id}": Names(answer="Resource"),
    "PATCH /resources/{id}": Names("ResourceChanges", "Resource"),
    "DELETE /resources/{id}": Names(),
    "GET /resources/{resourceId}/scopes": Names(answer="Scope"),
    "POST /resources/{resourceId}/scopes": Names("NewScope", "Scope"),
    "PATCH /resources/{resourceId}/scopes/{scopeId}": Names("ScopeChanges", "Scope"),
    "GET /organizations": Names(answer="Organization"),
    "POST /organizations": Names("NewOrganization", "Organization"),
    "GET /organizations/{id}": Names(answer="Organization"),
    "PATCH /organizations/{id}": Names("OrganizationChanges", "Organization"),
    "DELETE /organizations/{id}": Names(),
    "GET /organizations/{id}/users": Names(answer="Member"),
    "POST /organizations/{id}/users": Names("UserIds"),
    "DELETE /organizations/{id}/users/{userId}": Names(),
    "PUT /organizations/{id}/users/{userId}/roles": Names("OrganizationRolesOfMember"),
    "GET /organizations/{id}/jit/email-domains": Names(answer="JitEmailDomain"),
    "PUT /organizations/{id}/jit/email-domains": Names("JitEmailDomains"),
    "PUT /organizations/{id}/jit/roles": Names("JitRoles"),
    "GET /organization-roles": Names(answer="OrganizationRole"),
    "POST /organization-roles": Names("NewOrganizationRole", "OrganizationRole"),
    "GET /organization-roles/{id}": Names(answer="OrganizationRole"),
    "PATCH /organization-roles/{id}": Names("OrganizationRoleChanges", "OrganizationRole"),
    "DELETE /organization-roles/{id}": Names(),
    "POST /organization-roles/{id}/scopes": Names("OrganizationScopeIds"),
    "POST /organization-roles/{id}/resource-scopes": Names("ScopeIds"),
    "GET /organization-scopes": Names(answer="OrganizationScope"),
    "POST /organization-scopes": Names("NewOrganizationScope", "OrganizationScope"),
    "GET /organization-scopes/{id}": Names(answer="OrganizationScope"),
    "PATCH /organization-scopes/{id}": Names("OrganizationScopeChanges", "OrganizationScope"),
    "DELETE /organization-scopes/{id}": Names(),
    "GET /organization-invitations": Names(answer="Invitation"),
    "POST /organization-invitations": Names("NewInvitation", "Invitation"),
    "GET /organization-invitations/{id}": Names(answer="Invitation"),
    "DELETE /organization-invitations/{id}": Names(),
    "PUT /organization-invitations/{id}/status": Names("InvitationStatus", "Invitation"),
    "GET /connectors": Names(answer="Connector"),
    "POST /connectors": Names("NewConnector", "Connector"),
    "GET /connectors/{id}": Names(answer="Connector"),
    "PATCH /connectors/{id}": Names("ConnectorChanges", "Connector"),
    "DELETE /connectors/{id}": Names(),
    "POST /connectors/{factoryId}/test": Names("ConnectorTest"),
    "GET /connector-factories": Names(answer="ConnectorFactory"),
    "GET /connector-factories/{id}": Names(answer="ConnectorFactory"),
    "GET /sign-in-exp": Names(answer="SignInExperience"),
    "PATCH /sign-in-exp": Names("SignInExperienceChanges", "SignInExperience"),
    "GET /account-center": Names(answer="AccountCenter"),
    "PATCH /account-center": Names("AccountCenterChanges", "AccountCenter"),
    "GET /configs/jwt-customizer/{tokenTypePath}": Names(answer="JwtCustomizer"),
    "PUT /configs/jwt-customizer/{tokenTypePath}": Names("JwtCustomizerChanges", "JwtCustomizer"),
    "PATCH /configs/jwt-customizer/{tokenTypePath}": Names("JwtCustomizerChanges", "JwtCustomizer"),
    "POST /configs/jwt-customizer/test": Names("JwtCustomizerTest"),
    "GET /hooks": Names(answer="Hook"),
    "POST /hooks": Names("NewHook", "Hook"),
    "GET /hooks/{id}": Names(answer="Hook"),
    "PATCH /hooks/{id}": Names("HookChanges", "Hook"),
    "DELETE /hooks/{id}": Names(),
    "POST /hooks/{id}/test": Names("HookTest"),
    "GET /hooks/{id}/recent-logs": Names(answer="Log"),
    "GET /one-time-tokens": Names(answer="OneTimeToken"),
    "POST /one-time-tokens": Names("NewOneTimeToken", "OneTimeToken"),
    "GET /one-time-tokens/{id}": Names(answer="OneTimeToken"),
    "DELETE /one-time-tokens/{id}": Names(),
    "POST /subject-tokens": Names("NewSubjectToken", "SubjectToken"),
}

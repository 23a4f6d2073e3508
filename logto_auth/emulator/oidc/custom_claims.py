"""Custom claims: runs the script of the tenant with what Logto lets it see of a token, a user and a sign-in.

Source: recorded from Logto 1.42 (`tokens/jwt_customizer_*`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from logto_auth.emulator.claims_scripts import AccessDenied, EngineMissing, NotJSON, ScriptFailed, run_script
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.application_json import application_json
from logto_auth.emulator.state.application_record import TOKEN_EXCHANGE, Application
from logto_auth.emulator.state.records import Role, User, unique
from logto_auth.emulator.state.resource_json import resource_json
from logto_auth.emulator.state.stored_tokens import AuthorizationCode, RenewableToken, SubjectToken
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.user_json import user_json

from . import errors

ScriptKey = Literal["jwt.accessToken", "jwt.clientCredentials"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Issue:
    """For whom an access token is issued, and why. Without a user it is for the application itself."""

    client: Application
    user: User | None = None
    organization_id: str | None = None
    source: RenewableToken | None = None
    """The code or the refresh token. Without one and with a user it is a token exchange."""
    grant_id: str = ""
    subject_token: SubjectToken | None = None
    actor_id: str | None = None

    @property
    def sub(self) -> str:
        return self.user.id if self.user else self.client.id


def custom_claims(
    provider: Provider, issue: Issue, *, jti: str, audience: str | None, scope: str | None
) -> dict[str, Any]:
    """Return the claims that the script of the tenant adds to a token. They may contain reserved names.

    A script that fails adds none, and the log says why. Raise OIDCError if it denies access, and if the
    engine is not installed.
    """
    key: ScriptKey = "jwt.accessToken" if issue.user else "jwt.clientCredentials"
    customizer = provider.tenant.jwt_customizers.get(key)
    if not customizer or not customizer["script"]:
        return {}
    try:
        return run_script(
            customizer["script"],
            token=_token(issue, jti=jti, audience=audience, scope=scope),
            context=_context(provider, issue),
            environment_variables=customizer.get("environmentVariables"),
        )
    except AccessDenied as denial:
        raise errors.access_denied(str(denial), status=400) from None
    except EngineMissing as missing:
        raise errors.OIDCError("server_error", str(missing), status=501) from None
    except NotJSON as failure:
        _logger.warning("The script %s for custom claims cannot be used: %s", key, failure)
        raise errors.OIDCError("server_error", "oops! something went wrong", status=500) from None
    except ScriptFailed as failure:
        _logger.warning("The script %s for custom claims failed. The token has none. %s", key, failure)
        return {}


def _token(issue: Issue, *, jti: str, audience: str | None, scope: str | None) -> dict[str, Any]:
    """Return the token as a script sees it, before it has times."""
    source, kind = issue.source, "AccessToken" if issue.user else "ClientCredentials"
    fields: dict[str, Any] = {"jti": jti, "kind": kind, "clientId": issue.client.id}
    if issue.user is None:
        fields |= {"aud": audience, "scope": scope}
    else:
        fields |= {
            "gty": _grant_types(source),
            "grantId": issue.grant_id,
            "sessionUid": source.session_uid if source else None,
            "expiresWithSession": True if source and source.expires_with_session else None,
            "accountId": issue.user.id,
            "aud": audience,
            "extra": _extra(issue) if source is None else None,
            "scope": scope,
            "sid": source.sid if source else None,
        }
    return {name: value for name, value in fields.items() if value is not None}


def _grant_types(source: RenewableToken | None) -> str:
    if source is None:
        return TOKEN_EXCHANGE
    return "authorization_code" if isinstance(source, AuthorizationCode) else "authorization_code refresh_token"


def _extra(issue: Issue) -> dict[str, Any]:
    """Return what Logto stores with the token of an exchange."""
    subject_token, actor_id = issue.subject_token, issue.actor_id
    return {
        **({"subjectTokenId": subject_token.value} if subject_token else {}),
        **({"act": {"sub": actor_id}} if actor_id else {}),
    }


def _context(provider: Provider, issue: Issue) -> dict[str, Any]:
    """Return the context of a script, with its parts in the recorded order."""
    # A dynamic client is no application of the tenant.
    application = None if issue.client.is_dynamic else application_json(provider.tenant, issue.client)
    if application is not None:
        application.pop("secret", None)
    if issue.user is None:
        return {"application": application}
    subject_token, source = issue.subject_token, issue.source
    grant = {"type": TOKEN_EXCHANGE, "subjectTokenContext": subject_token.context} if subject_token else None
    interaction = provider.instances.submission_of(source.session_uid, issue.user.id) if source else None
    parts = {
        "grant": grant,
        "interaction": interaction,
        "application": application,
        "organization": _organization(provider.tenant, issue.organization_id),
    }
    return {
        "user": user_context(provider.tenant, issue.user),
        **{name: part for name, part in parts.items() if part is not None},
    }


def _organization(tenant: Tenant, organization_id: str | None) -> Mapping[str, Any] | None:
    found = tenant.organizations.get(organization_id or "")
    if found is None:
        return None
    return {"id": found.id, "name": found.name, "description": found.description, "customData": found.custom_data}


def user_context(tenant: Tenant, user: User) -> dict[str, Any]:
    """Return a user as scripts see it."""
    memberships = rbac.memberships(tenant, user.id)
    roles = [role for role in tenant.roles.values() if role.name in user.roles]
    held = [
        (organization, tenant.find_organization_role(name))
        for organization in memberships
        for name in organization.members[user.id]
    ]
    return {
        **user_json(tenant, user),
        "hasPassword": user.has_password,
        "ssoIdentities": [_sso_identity(each) for each in user.sso_identities],
        "mfaVerificationFactors": unique(factor.type for factor in user.factors),
        "roles": [_role(tenant, role) for role in roles],
        "organizations": [{"id": each.id, "name": each.name, "description": each.description} for each in memberships],
        "organizationRoles": [
            {"organizationId": organization.id, "roleId": role.id, "roleName": role.name}
            for organization, role in held
            if role is not None
        ],
    }


def _sso_identity(identity: dict[str, Any]) -> dict[str, Any]:
    return {name: identity[name] for name in ("issuer", "identityId", "detail") if name in identity}


def _role(tenant: Tenant, role: Role) -> dict[str, Any]:
    scopes = [
        {
            "id": scope.id,
            "name": scope.name,
            "description": scope.description,
            "resourceId": resource.id,
            "resource": resource_json(resource),
        }
        for resource, scope in tenant.scopes_held(role.scopes)
    ]
    return {"id": role.id, "name": role.name, "description": role.description, "scopes": scopes}

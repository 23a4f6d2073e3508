"""The prompts that the user must complete before a code is issued: login and consent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.sessions import AuthorizationRequest, Grant, Session


@dataclass(frozen=True)
class Prompt:
    """A required step. `error` and `description` are the answer to `prompt=none`."""

    name: Literal["login", "consent"]
    error: str
    description: str
    missing_scopes: list[str] = field(default_factory=list)
    missing_resource_scopes: dict[str, list[str]] = field(default_factory=dict)


def next_prompt(
    provider: Provider, request: AuthorizationRequest, session: Session | None, solved: Collection[str]
) -> Prompt | None:
    """Return the next required step, or None if a code can be issued."""
    reason = _login_reason(provider, request, session, solved)
    if reason:
        return Prompt("login", "login_required", reason)
    assert session is not None  # otherwise a login is required
    return _consent_prompt(provider, request, session, solved)


def current_grant(provider: Provider, request: AuthorizationRequest, session: Session) -> Grant | None:
    """Return the grant that the client has in this session. That of a dynamic client belongs to the request alone."""
    if request.client.is_dynamic:
        return provider.instances.find_grant(request.grant_id)
    authorization = session.authorizations.get(request.client.id)
    return provider.instances.find_grant(authorization.grant_id) if authorization else None


def _login_reason(
    provider: Provider, request: AuthorizationRequest, session: Session | None, solved: Collection[str]
) -> str:
    if "login" in request.prompts and "login" not in solved:
        return "login prompt was not resolved"
    if session is None or session.account_id is None:
        return "End-User authentication is required"
    age = provider.clock.now() - session.login_at
    if request.max_age is not None and age > request.max_age and "login" not in solved:
        return "End-User authentication could not be obtained"
    if request.hinted_sub is not None and request.hinted_sub != session.account_id:
        return "id_token_hint and authenticated subject do not match"
    return ""


def _consent_prompt(
    provider: Provider, request: AuthorizationRequest, session: Session, solved: Collection[str]
) -> Prompt | None:
    grant = current_grant(provider, request, session)
    scopes = [scope for scope in request.oidc_scopes if grant is None or scope not in grant.oidc_scopes]
    resource_scopes = _missing_resource_scopes(provider, request, session, grant)
    missing = (scopes, resource_scopes)
    if "consent" in request.prompts and "consent" not in solved:
        return Prompt("consent", "consent_required", "consent prompt was not resolved", *missing)
    if request.client.type == "Native" and "consent" not in solved:
        # Rule of oidc-provider: native applications need interaction, so `prompt=none` never works for them.
        description = "native clients require End-User interaction"
        return Prompt("consent", "interaction_required", description, *missing)
    if scopes or resource_scopes:
        return Prompt("consent", "consent_required", "requested scopes not granted", *missing)
    return None


def _missing_resource_scopes(
    provider: Provider, request: AuthorizationRequest, session: Session, grant: Grant | None
) -> dict[str, list[str]]:
    missing: dict[str, list[str]] = {}
    for indicator in request.resources:
        held = rbac.resource_scopes_of_user(provider.tenant, session.account_id or "", indicator, client=request.client)
        answered = _answered(grant, indicator) if grant else []
        wanted = [scope for scope in request.scopes if scope in held and scope not in answered]
        if wanted:
            missing[indicator] = wanted
    return missing


def _answered(grant: Grant, indicator: str) -> list[str]:
    """Return the permissions about which the user was asked: those granted, and those that the user cannot give."""
    return [*grant.resource_scopes.get(indicator, []), *grant.rejected_resource_scopes.get(indicator, [])]

"""The authorization response: codes and errors for the callback."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.records import unique
from logto_auth.emulator.state.sessions import AuthorizationRequest, Session
from logto_auth.emulator.state.stored_tokens import CODE_TTL, AuthorizationCode

from . import errors
from .authorization_checks import response_mode
from .http import see_other, self_submitting_form
from .prompts import current_grant
from .redirect_uris import with_parameters


def issue_code(provider: Provider, request: AuthorizationRequest, session: Session) -> str:
    """Return a new code with the requested scopes that the grant covers. Raise OIDCError if there are none."""
    grant = current_grant(provider, request, session)
    if grant is None:
        raise _nothing_granted()
    scopes = grant.granted_oidc_scopes(request.scopes)
    for indicator in request.resources:
        scopes += grant.granted_resource_scopes(indicator, request.scopes)
    if not scopes:
        raise _nothing_granted()
    authorization = provider.authorization_in(session, request.client.id)
    if "offline_access" in scopes:
        authorization.persists_logout = True
    now = provider.clock.now()
    code = AuthorizationCode(
        client_id=request.client.id,
        account_id=grant.account_id,
        grant_id=grant.id,
        session_uid=session.uid,
        expires_with_session="offline_access" not in scopes,
        scopes=unique(scopes),
        sid=authorization.sid if request.client.gets_sid else None,
        issued_at=now,
        expires_at=now + CODE_TTL,
        nonce=request.params.get("nonce"),
        auth_time=session.login_at if request.wants_auth_time else None,
        resources=list(request.resources),
        redirect_uri=request.redirect_uri,
        code_challenge=request.params.get("code_challenge"),
    )
    provider.instances.codes[code.value] = code
    return code.value


def error_parameters(provider: Provider, error: errors.OIDCError, params: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the parameters of an error response in Logto's order."""
    state = [("state", params["state"])] if "state" in params else []
    return [*error.parameters().items(), *state, ("iss", provider.issuer)]


def deliver(
    provider: Provider, redirect_uri: str, params: Mapping[str, str], parameters: list[tuple[str, str]]
) -> Response:
    """Return the HTTP response that sends the parameters to the client by the requested response mode."""
    if provider.faults.callback:
        parameters = provider.faults.callback(list(parameters))
    mode = response_mode(params)
    if mode == "form_post":
        status = 400 if any(name == "error" for name, _ in parameters) else 200
        return self_submitting_form(redirect_uri, parameters, status=status)
    return see_other(with_parameters(redirect_uri, parameters, fragment=mode == "fragment"))


def _nothing_granted() -> errors.OIDCError:
    description = "authorization request resolved without requesting interactions but no scope was granted"
    return errors.access_denied(description, status=400)

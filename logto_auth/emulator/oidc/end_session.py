"""Sign-out by the relying party (RP-initiated logout)."""

from __future__ import annotations

import hmac
from secrets import token_hex

from flask import Blueprint, Response, render_template, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import LogoutDetails, Session

from . import cookies, errors
from .backchannel import notify_clients
from .client_authentication import find_client
from .client_redirects import allows_post_logout_redirect_uri
from .http import (
    NO_STORE,
    error_response,
    page_parameters,
    request_form,
    see_other,
    self_submitting_form,
    single_parameters,
)
from .id_token_hint import decode_id_token_hint, validate_id_token_hint
from .redirect_uris import with_parameters

blueprint = Blueprint("end_session", __name__)

SESSION_END_CONFIRM = "/oidc/session/end/confirm"
_SESSION_END_SUCCESS = "/oidc/session/end/success"


@blueprint.route("/oidc/session/end", methods=["GET", "POST"], endpoint="session_end")
def session_end() -> Response:
    """Return a page that submits itself to the confirm step. The user is not asked."""
    provider = current()
    lists = page_parameters(only_forms=provider.tenant.version.browser_endpoints_require_form)
    try:
        params = single_parameters(lists)
        client = _client(provider, params)
        uri = _post_logout_redirect_uri(client, params)
    except errors.OIDCError as error:
        return error_response(error)
    session = provider.instances.find_session(cookies.read(cookies.SESSION)) or _new_session(provider)
    session.logout = LogoutDetails(token_hex(24), client.id if client else None, uri, params.get("state"))
    response = _confirm_page(session)
    cookies.write(response, cookies.SESSION, session.id, max_age=provider.tenant.session_ttl)
    return response


@blueprint.post(SESSION_END_CONFIRM, endpoint="session_end_confirm")
def session_end_confirm() -> Response:
    """Send back-channel logouts, then end the session for all applications."""
    provider = current()
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    try:
        params = single_parameters(request_form())
        details = _checked_details(session, params)
    except errors.OIDCError as error:
        return error_response(error)
    assert session is not None  # otherwise there are no details
    notify_clients(provider, session, None if "logout" in params else details.client_id)
    if "logout" in params:
        _end(provider, session)
    else:
        _leave(provider, session, details.client_id)
    response = see_other(_destination(details, ended="logout" in params))
    if "logout" in params:
        cookies.drop(response, cookies.SESSION)
    else:
        cookies.write(response, cookies.SESSION, session.id, max_age=provider.tenant.session_ttl)
    return response


@blueprint.get(_SESSION_END_SUCCESS, endpoint="session_end_success")
def session_end_success() -> Response:
    """Show that the user is signed out, if the request had no post sign-out redirect URI."""
    return Response(render_template("signed_out.html"), headers=NO_STORE)


def _client(provider: Provider, params: dict[str, str]) -> Application | None:
    """Return the client that the request names by id or by `id_token_hint`. Raise OIDCError if they differ."""
    if "id_token_hint" not in params:
        return find_client(provider, params["client_id"]) if "client_id" in params else None
    audience = decode_id_token_hint(params["id_token_hint"]).get("aud")
    if "client_id" in params and params["client_id"] != audience:
        raise errors.invalid_request("client_id does not match the provided id_token_hint")
    client = find_client(provider, str(audience))
    validate_id_token_hint(provider, params["id_token_hint"], client)
    return client


def _post_logout_redirect_uri(client: Application | None, params: dict[str, str]) -> str | None:
    """Return the post sign-out redirect URI. Without a client it is ignored without an error."""
    uri = params.get("post_logout_redirect_uri")
    if client is None or uri is None:
        return None
    if not allows_post_logout_redirect_uri(client, uri):
        raise errors.invalid_request("post_logout_redirect_uri not registered")
    return uri


def _new_session(provider: Provider) -> Session:
    session = provider.new_session()
    provider.instances.sessions[session.id] = session
    return session


def _confirm_page(session: Session) -> Response:
    assert session.logout is not None  # set by the caller
    action = f"{request.host_url.rstrip('/')}{SESSION_END_CONFIRM}"
    if session.account_id is None:
        return self_submitting_form(action, [("xsrf", session.logout.xsrf), ("logout", "yes")])
    page = render_template("sign_out.html", action=action, xsrf=session.logout.xsrf)
    return Response(page, headers=NO_STORE)


def _checked_details(session: Session | None, params: dict[str, str]) -> LogoutDetails:
    if session is None or session.logout is None:
        raise errors.invalid_request("could not find logout details")
    if not hmac.compare_digest(session.logout.xsrf.encode(), params.get("xsrf", "").encode()):
        raise errors.invalid_request("xsrf token invalid")
    return session.logout


def _end(provider: Provider, session: Session) -> None:
    """End the session and its grants, except grants with `offline_access`."""
    for authorization in list(session.authorizations.values()):
        if authorization.grant_id and not authorization.persists_logout:
            provider.instances.revoke_grant(authorization.grant_id)
    provider.instances.end_session(session)


def _leave(provider: Provider, session: Session, client_id: str | None) -> None:
    """End one client's part of the session, if the confirm step came without `logout`."""
    authorization = session.authorizations.pop(client_id or "", None)
    if authorization is not None and authorization.grant_id and not authorization.persists_logout:
        provider.instances.revoke_grant(authorization.grant_id)
    session.logout = None
    with provider.instances.lock:
        provider.instances.sessions.pop(session.id, None)
        session.id = provider.new_uid()
        provider.instances.sessions[session.id] = session


def _destination(details: LogoutDetails, *, ended: bool) -> str:
    if details.post_logout_redirect_uri is not None:
        state = [("state", details.state)] if details.state is not None else []
        return with_parameters(details.post_logout_redirect_uri, state)
    client_id = [("client_id", details.client_id)] if details.client_id and not ended else []
    return with_parameters(f"{request.host_url.rstrip('/')}{_SESSION_END_SUCCESS}", client_id)

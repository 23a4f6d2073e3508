"""The authorization endpoint, its continuation after a page, and pushed authorization requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import (
    ACCESS_CHECKED,
    INTERACTION_TTL,
    AuthorizationRequest,
    Interaction,
    LogoutDetails,
    Session,
)
from logto_auth.emulator.state.stored_tokens import PUSHED_REQUEST_TTL, PushedRequest

from . import cookies, errors
from .authorization_checks import (
    PUSHED_REQUEST_PREFIX,
    invalid_redirect_uri,
    invalid_request_uri,
    only_redirect_uri,
    read_authorization_request,
)
from .authorization_response import deliver, error_parameters, issue_code
from .client_authentication import authenticate_client, find_client
from .client_redirects import allows_redirect_uri
from .end_session import SESSION_END_CONFIRM
from .http import (
    NO_STORE,
    error_response,
    json_response,
    page_parameters,
    request_form,
    see_other,
    self_submitting_form,
    single_parameters,
)
from .prompt_locations import consent_location, sign_in_location, ui_cookie
from .prompts import Prompt, next_prompt

blueprint = Blueprint("authorization", __name__)


@blueprint.route("/oidc/auth", methods=["GET", "POST"], endpoint="auth")
def authorize() -> Response:
    """Redirect to the sign-in page or to the callback."""
    provider = current()
    lists = page_parameters(only_forms=provider.tenant.version.browser_endpoints_require_form)
    lists, pushed_request_id = _unpushed(provider, lists)
    try:
        checked = read_authorization_request(provider, lists)
        checked = replace(checked, pushed_request_id=pushed_request_id)
        session = provider.instances.find_session(cookies.read(cookies.SESSION))
        return _proceed(provider, checked, session, solved=())
    except errors.OIDCError as error:
        return _refuse(provider, error, lists)


@blueprint.get("/oidc/auth/<uid>", endpoint="resume")
def resume(uid: str) -> Response:
    """Continue an authorization request after the user completed a page."""
    provider = current()
    try:
        interaction = _resumed_interaction(provider, uid)
    except errors.OIDCError as error:
        return error_response(error, extra={"iss": provider.issuer})
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if _is_another_account(interaction, session):
        return _sign_out_first(provider, interaction, session)
    provider.instances.interactions.pop(uid, None)
    session = _signed_in(provider, interaction, session)
    try:
        response = _proceed(provider, interaction.request, session, interaction.solved, interaction.submission)
    except errors.OIDCError as error:
        response = _respond_with_error(provider, error, interaction.request)
        if session is not None:
            _extend_session(provider, session, response)
    cookies.drop(response, cookies.RESUME, path=f"/oidc/auth/{uid}")
    return response


@blueprint.post("/oidc/request", endpoint="pushed_authorization_request")
def push() -> Response:
    """Store an authorization request for `request_uri` (RFC 9126). It is valid for 60 seconds and one use."""
    provider = current()
    lists = request_form()
    try:
        client = authenticate_client(provider, single_parameters(lists, repeatable=["resource"]))
        read_authorization_request(provider, {**lists, "client_id": [client.id]})
    except errors.OIDCError as error:
        # This endpoint does not redirect, so a wrong redirect URI is an ordinary invalid request.
        if error.error == "invalid_redirect_uri":
            error = errors.OIDCError("invalid_request", error.description)
        return error_response(error)
    request_id = ids.opaque_token()
    expires_at = provider.clock.now() + PUSHED_REQUEST_TTL
    params = {**lists, "client_id": [client.id]}
    provider.instances.pushed_requests[request_id] = PushedRequest(
        client_id=client.id, params=params, expires_at=expires_at
    )
    body = {"expires_in": PUSHED_REQUEST_TTL, "request_uri": f"{PUSHED_REQUEST_PREFIX}{request_id}"}
    return json_response(body, status=201, headers=NO_STORE)


def _proceed(
    provider: Provider,
    checked: AuthorizationRequest,
    session: Session | None,
    solved: Collection[str],
    submission: dict[str, Any] | None = None,
) -> Response:
    """Return the redirect to the next page, or to the callback with a code.

    `submission` says how the user has just signed in for this request.
    """
    prompt = next_prompt(provider, checked, session, solved)
    if prompt is None:
        assert session is not None  # otherwise the next prompt is a login
        return _succeed(provider, checked, session)
    if "none" in checked.prompts:
        raise errors.OIDCError(prompt.error, prompt.description)
    return _start_interaction(provider, checked, session, prompt, solved, submission)


def _succeed(provider: Provider, checked: AuthorizationRequest, session: Session) -> Response:
    _consume_pushed_request(provider, checked)
    code = issue_code(provider, checked, session)
    parameters = [("code", code)]
    if "state" in checked.params:
        parameters.append(("state", checked.params["state"]))
    response = deliver(provider, checked.redirect_uri, checked.params, [*parameters, ("iss", provider.issuer)])
    _extend_session(provider, session, response)
    return response


def _start_interaction(
    provider: Provider,
    checked: AuthorizationRequest,
    session: Session | None,
    prompt: Prompt,
    solved: Collection[str],
    submission: dict[str, Any] | None,
) -> Response:
    interaction = Interaction(
        uid=provider.new_uid(),
        request=checked,
        prompt=prompt.name,
        session_uid=session.uid if session else None,
        expires_at=provider.clock.now() + INTERACTION_TTL,
        solved=frozenset(solved),
        submission=submission or _access_checked(checked, session),
        missing_scopes=prompt.missing_scopes,
        missing_resource_scopes=prompt.missing_resource_scopes,
    )
    provider.instances.interactions[interaction.uid] = interaction
    locate = sign_in_location if prompt.name == "login" else consent_location
    response = see_other(locate(checked))
    _write_interaction_cookies(response, checked, interaction)
    if session is not None:
        _extend_session(provider, session, response)
    return response


def _access_checked(checked: AuthorizationRequest, session: Session | None) -> dict[str, Any] | None:
    """Return the mark that Logto leaves in place of a sign-in, if the client has a grant in the session.

    Saved at a consent, it replaces how the user signed in.
    """
    authorization = session.authorizations.get(checked.client.id) if session else None
    if session is None or authorization is None or authorization.grant_id is None:
        return None
    return {ACCESS_CHECKED: {"checked": True, "applicationId": checked.client.id, "userId": session.account_id}}


def _write_interaction_cookies(response: Response, checked: AuthorizationRequest, interaction: Interaction) -> None:
    uids = cookies.with_interaction_uid(checked.client.id, interaction.uid)
    resume_path = f"/oidc/auth/{interaction.uid}"
    cookies.write(response, cookies.INTERACTION, uids, max_age=INTERACTION_TTL)
    cookies.write(response, cookies.RESUME, interaction.uid, path=resume_path, max_age=INTERACTION_TTL)
    cookies.write(response, cookies.UI, cookies.encode(ui_cookie(checked)), http_only=False)


def _extend_session(provider: Provider, session: Session, response: Response) -> None:
    """Extend the session, as each authorization request does."""
    session.expires_at = provider.clock.now() + provider.tenant.session_ttl
    cookies.write(response, cookies.SESSION, session.id, max_age=provider.tenant.session_ttl)


def _resumed_interaction(provider: Provider, uid: str) -> Interaction:
    """Return the interaction that this browser started, or raise OIDCError."""
    if cookies.read(cookies.RESUME) != uid:
        raise errors.session_not_found("authorization request has expired")
    interaction = provider.instances.find_interaction(uid)
    if interaction is None:
        raise errors.session_not_found("interaction session not found")
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if interaction.session_uid is not None and interaction.session_uid != (session and session.uid):
        raise errors.session_not_found("interaction session and authentication session mismatch")
    return interaction


def _is_another_account(interaction: Interaction, session: Session | None) -> bool:
    return (
        session is not None
        and session.account_id is not None
        and interaction.account_id is not None
        and session.account_id != interaction.account_id
    )


def _sign_out_first(provider: Provider, interaction: Interaction, session: Session | None) -> Response:
    """Sign the previous account out first, so that its relying parties receive back-channel logouts."""
    assert session is not None  # the other account is signed in
    interaction.session_uid = None
    session.logout = LogoutDetails(
        xsrf=provider.new_uid(),
        client_id=interaction.request.client.id,
        post_logout_redirect_uri=f"{request.host_url}oidc/auth/{interaction.uid}",
    )
    action = f"{request.host_url.rstrip('/')}{SESSION_END_CONFIRM}"
    return self_submitting_form(action, [("xsrf", session.logout.xsrf), ("logout", "yes")])


def _signed_in(provider: Provider, interaction: Interaction, session: Session | None) -> Session | None:
    """Return the session with the login of the interaction, under a new session id."""
    if session is None and interaction.account_id is None:
        return None
    session = session or provider.new_session()
    instances = provider.instances
    with instances.lock:
        instances.sessions.pop(session.id, None)
        session.id = provider.new_uid()
        session.expires_at = provider.clock.now() + provider.tenant.session_ttl
        if interaction.account_id is not None:
            session.account_id = interaction.account_id
            session.login_at = provider.clock.now()
        instances.sessions[session.id] = session
    return session


def _refuse(provider: Provider, error: errors.OIDCError, lists: Mapping[str, list[str]]) -> Response:
    """Redirect an error to the client if the redirect URI is valid; otherwise return it as JSON."""
    params = {name: values[0] for name, values in lists.items() if len(values) == 1 and values[0]}
    client = _refused_client(provider, error, params.get("client_id", ""))
    state = {"state": params["state"]} if "state" in params else {}
    if client is None:
        return error_response(error, extra={**state, "iss": provider.issuer})
    redirect_uri = params.get("redirect_uri") or only_redirect_uri(client)
    if redirect_uri and not allows_redirect_uri(client, redirect_uri):
        error = invalid_redirect_uri()
    if redirect_uri is None or not error.redirectable:
        return error_response(error, extra={**state, "iss": provider.issuer})
    return deliver(provider, redirect_uri, params, error_parameters(provider, error, params))


def _refused_client(provider: Provider, error: errors.OIDCError, client_id: str) -> Application | None:
    """Return the client of a refused request. That of an error which reaches no client is not looked up again."""
    application = provider.find_application(client_id)
    if application is not None or not error.redirectable:
        return application
    try:
        return find_client(provider, client_id)
    except errors.OIDCError:
        return None


def _respond_with_error(provider: Provider, error: errors.OIDCError, checked: AuthorizationRequest) -> Response:
    parameters = error_parameters(provider, error, checked.params)
    return deliver(provider, checked.redirect_uri, checked.params, parameters)


def _unpushed(provider: Provider, lists: dict[str, list[str]]) -> tuple[dict[str, list[str]], str | None]:
    """Return the parameters and the id of the pushed request that `request_uri` names, if any."""
    request_uri = (lists.get("request_uri") or [""])[0]
    request_id = request_uri.removeprefix(PUSHED_REQUEST_PREFIX)
    pushed = provider.instances.pushed_requests.get(request_id)
    live = pushed and not pushed.consumed and pushed.expires_at > provider.clock.now()
    if pushed is None or not live or lists.get("client_id") != [pushed.client_id]:
        return lists, None
    return pushed.params, request_id


def _consume_pushed_request(provider: Provider, checked: AuthorizationRequest) -> None:
    if checked.pushed_request_id is None:
        return
    pushed = provider.instances.pushed_requests[checked.pushed_request_id]
    if pushed.consumed:
        raise invalid_request_uri()
    pushed.consumed = True

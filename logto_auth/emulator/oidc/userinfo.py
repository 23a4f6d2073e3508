"""The userinfo endpoint."""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current

from . import errors
from .claims import userinfo_claims
from .client_authentication import check_origin, find_client
from .http import NO_STORE, challenge, check_content_type, error_response, json_response

blueprint = Blueprint("userinfo", __name__)

_NO_TOKEN = "no access token provided"  # noqa: S105 - a description, not a token


@blueprint.route("/oidc/me", methods=["GET", "POST"], endpoint="me")
def me() -> Response:
    """Return the claims of the granted scopes."""
    provider = current()
    try:
        claims = _claims(provider)
    except errors.OIDCError as error:
        return _error_with_challenge(provider, error)
    data = provider.faults.userinfo(claims) if provider.faults.userinfo else claims
    return json_response(data, headers=NO_STORE)


def _claims(provider: Provider) -> dict[str, object]:
    token = provider.instances.access_tokens.get(_bearer_token(provider))
    if token is None or not provider.instances.is_usable(token):
        raise errors.invalid_token()
    if "openid" not in token.scopes:
        description = "access token missing openid scope"
        raise errors.OIDCError("insufficient_scope", description, status=403, scope="openid")
    user = provider.tenant.users.get(token.account_id)
    if user is None or (user.is_suspended and provider.tenant.version.refuses_suspended_users):
        raise errors.invalid_token()
    check_origin(provider, find_client(provider, token.client_id))
    return userinfo_claims(provider.tenant, user, token.scopes)


def _bearer_token(provider: Provider) -> str:
    """Return the access token of the request, from the header or the form. Raise OIDCError for one in the URL."""
    if request.method == "POST":
        check_content_type()
    header, in_body = request.headers.get("Authorization", ""), request.form.get("access_token", "")
    in_query = request.args.get("access_token", "")
    given = [text for text in (header, in_body, in_query) if text]
    if not given:
        raise _no_token(provider)
    if len(given) > 1:
        raise errors.invalid_request("access token must only be provided using one mechanism")
    if in_query:
        raise errors.invalid_request("access tokens must not be provided via query parameter")
    if in_body:
        return in_body
    parts = header.split(" ")
    if len(parts) != 2:
        raise errors.invalid_request("invalid authorization header value format")
    if parts[0].lower() != "bearer":
        raise errors.invalid_request("authorization header scheme must be `Bearer`")
    return parts[1]


def _no_token(provider: Provider) -> errors.OIDCError:
    if provider.tenant.version.userinfo_without_token_is_401:
        return errors.OIDCError("invalid_token", _NO_TOKEN, status=401)
    return errors.invalid_request(_NO_TOKEN)


def _error_with_challenge(provider: Provider, error: errors.OIDCError) -> Response:
    details = {} if error.description == _NO_TOKEN else {**error.parameters()}
    response = error_response(error)
    response.headers["WWW-Authenticate"] = challenge("Bearer", realm=provider.issuer, **details)
    return response

"""Client authentication, and the check of the `Origin` header."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import unquote_plus

from flask import g, request

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application

from . import errors
from .client_metadata_documents import resolve_client
from .redirect_uris import redirect_uri_allowed


def find_client(provider: Provider, client_id: str) -> Application:
    """Return the application with this id, or the dynamic client, or raise OIDCError (400, as Logto)."""
    client = provider.find_application(client_id) or resolve_client(provider, client_id)
    if provider.signing_key is None:
        raise errors.no_key_for_id_tokens(provider.keys.advertised_algs())
    return client


def authenticate_client(provider: Provider, form: Mapping[str, str]) -> Application:
    """Return the application that sent this request, or raise OIDCError.

    A confidential application may use Basic or post, whichever is registered. A public one sends its id only.
    """
    client_id, secret = _credentials(form)
    client = find_client(provider, client_id)
    if client.is_public != (secret is None):
        raise errors.client_authentication_failed()
    if secret is not None:
        _check_secret(provider, client, secret)
    check_origin(provider, client)
    return client


def _credentials(form: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the client id and the secret from the header or the body. Raise OIDCError if both have them."""
    if "client_assertion" in form:
        raise errors.client_authentication_failed()
    client_id, secret = form.get("client_id"), form.get("client_secret")
    authorization = request.headers.get("Authorization")
    if authorization is None:
        if client_id is None:
            raise errors.invalid_request("no client authentication mechanism provided")
        return client_id, secret
    basic_id, basic_secret = _basic_credentials(authorization)
    if client_id is not None and client_id != basic_id:
        raise errors.invalid_request("mismatch in body and authorization client ids")
    if not basic_secret:
        raise errors.invalid_request("client_secret must be provided in the Authorization header")
    if secret is not None:
        raise errors.invalid_request("client authentication must only be provided using one mechanism")
    return basic_id, basic_secret


def _basic_credentials(header: str) -> tuple[str, str]:
    """Return the client id and the secret of a Basic header, form-URL-decoded (RFC 6749, section 2.3.1).

    Authlib's parser ignores malformed headers, while Logto answers them with 400.
    """
    scheme, _, encoded = header.partition(" ")
    malformed = errors.invalid_request("invalid authorization header value format")
    if scheme.lower() != "basic" or not encoded or " " in encoded:
        raise malformed
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise malformed from None
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise malformed
    return unquote_plus(client_id), unquote_plus(secret)


def _check_secret(provider: Provider, client: Application, given: str) -> None:
    for secret in client.secrets:
        if hmac.compare_digest(secret.value.encode(), given.encode()):
            if secret.expires_at is not None and secret.expires_at <= provider.clock.now_ms():
                raise errors.invalid_request("client secret has expired")
            return
    raise errors.client_authentication_failed()


def check_origin(provider: Provider, client: Application) -> None:
    """Raise OIDCError if the `Origin` is neither that of a redirect URI nor listed by the client.

    The response then has no CORS headers, so that a browser shows it to no script.
    """
    origin = request.headers.get("Origin")
    if origin is None or origin in {provider.endpoint, request.host_url.rstrip("/"), *client.cors_allowed_origins}:
        return
    # Scheme and host of each redirect URI, including patterns.
    registered = ["/".join([*uri.split("/")[:3], ""]) for uri in client.redirect_uris if "://" in uri]
    if not redirect_uri_allowed(f"{origin}/", registered):
        g.origin_refused = True
        raise errors.invalid_request(f"origin {origin} not allowed for client: {client.id}")

"""Dynamic clients: a `client_id` that is the URL of a metadata document (CIMD, draft 02).

The emulator reads documents from loopback addresses only, and only if it was told to. For every other URL, it answers
as a Logto that cannot reach the document. The checks are those of Logto's OIDC engine and of Logto, in their order.

Source: `client_id_metadata_document.js` and `client_schema.js` of oidc-provider, `oidc/cimd/` of Logto.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import ApplicationType
from logto_auth.emulator.state.dynamic_client import DynamicClient

from . import errors
from .client_documents import FetchFailed, fetch_document
from .redirect_uris import is_valid_pattern, parse_url

_MAX_LENGTH = 2048
_MAX_CACHED = 100
_SHARED_SECRETS = ("client_secret_basic", "client_secret_post", "client_secret_jwt")
_AUTH_METHODS = ("client_secret_basic", "client_secret_jwt", "client_secret_post", "private_key_jwt", "none")
_WEB_URIS = (
    "backchannel_client_notification_endpoint",
    "backchannel_logout_uri",
    "client_uri",
    "initiate_login_uri",
    "jwks_uri",
    "logo_uri",
    "policy_uri",
    "sector_identifier_uri",
    "tos_uri",
)
# Logto's own metadata of a registered application.
_PRIVATE = (
    "corsAllowedOrigins",
    "idTokenTtl",
    "refreshTokenTtl",
    "refreshTokenTtlInDays",
    "tenantId",
    "alwaysIssueRefreshToken",
    "rotateRefreshToken",
    "allowTokenExchange",
    "isDeviceFlow",
    "maxAllowedGrants",
    "appLevelAccessControlEnabled",
)
_LISTS = ("contacts", "default_acr_values", "post_logout_redirect_uris", "redirect_uris")
_TEXTS = (
    "application_type",
    "client_name",
    "id_token_signed_response_alg",
    "subject_type",
    "token_endpoint_auth_method",
)


def resolve_client(provider: Provider, client_id: str) -> DynamicClient:
    """Return the client that a document describes, or raise OIDCError for an id that no application has."""
    if not (provider.takes_client_metadata_documents and is_metadata_url(client_id)):
        raise errors.unknown_client(client_id)
    if len(client_id) > _MAX_LENGTH:
        raise errors.invalid_client(f"client_id must not exceed {_MAX_LENGTH} characters")
    client = _client(provider, client_id, _document(provider, client_id))
    # The ceiling at this moment counts, not that of the time when the document was read.
    ceiling = provider.tenant.cimd_ceiling
    return replace(
        client,
        user_scopes=ceiling.user_scopes,
        resource_scopes=ceiling.resource_scopes,
        organization_scopes=ceiling.organization_scopes,
        organization_resource_scopes=ceiling.organization_resource_scopes,
    )


def is_metadata_url(client_id: str) -> bool:
    """Return whether the id is an https URL without user, fragment and dot segments."""
    url = parse_url(client_id)
    if url is None or url.scheme != "https" or url.fragment or "@" in url.authority:
        return False
    path = client_id.partition("://")[2].partition("?")[0]
    segments = [segment.lower().replace("%2e", ".") for segment in path.split("/")[1:]]
    return not {".", ".."} & set(segments) and not re.search(r"[\x7f\\]", client_id)


# The document


def _document(provider: Provider, client_id: str) -> dict[str, Any]:
    """Return the document, which is kept for as long as its answer says: at least 30 seconds, at most a day."""
    kept, now = provider.instances.client_documents, provider.clock.now()
    if client_id in kept and kept[client_id][1] > now:
        return kept[client_id][0]
    if not provider.loopback_client_documents:
        raise _fetch_failed()
    try:
        document, seconds = fetch_document(client_id)
    except FetchFailed as error:
        raise _fetch_failed() from error
    _check_document(client_id, document)
    # Not before the client is accepted: Logto keeps no document that it refuses.
    _client(provider, client_id, document)
    with provider.instances.lock:
        kept.pop(client_id, None)
        kept[client_id] = (document, now + seconds)
        for oldest in list(kept)[:-_MAX_CACHED]:
            del kept[oldest]
    return dict(document)


def _fetch_failed() -> errors.OIDCError:
    return errors.invalid_client("client_id metadata document fetch failed")


def _check_document(client_id: str, document: Any) -> None:
    if not isinstance(document, dict):
        raise _invalid("client_id metadata document is not a JSON object")
    if document.get("client_id") != client_id:
        raise _invalid("client_id metadata document client_id does not match the expected value")
    method = document.get("token_endpoint_auth_method")
    if method in _SHARED_SECRETS:
        description = "must not use shared-secret token endpoint authentication methods"
        raise _invalid(f"client_id metadata document {description}")
    if "client_secret" in document or "client_secret_expires_at" in document:
        raise _invalid("client_id metadata document must not contain client_secret or client_secret_expires_at")
    for name in _WEB_URIS:
        if name in document:
            url = parse_url(document[name]) if isinstance(document[name], str) else None
            if url is None or url.scheme != "https":
                raise _invalid(f"client_id metadata document {name} must be an https: URL")


# The client


def _client(provider: Provider, client_id: str, document: dict[str, Any]) -> DynamicClient:
    """Return the client of a document, or raise OIDCError for what the engine or Logto refuses.

    `scope`, `grant_types` and `response_types` of the document are ignored: Logto sets them.
    """
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    _check_required(document, method)
    _check_types(document)
    _check_choices(provider, document, method)
    redirect_uris = list(dict.fromkeys(document["redirect_uris"]))
    post_logout_redirect_uris = list(dict.fromkeys(document.get("post_logout_redirect_uris", [])))
    _check_uris("post_logout_redirect_uris", post_logout_redirect_uris)
    _check_uris("redirect_uris", redirect_uris)
    if not redirect_uris:
        raise _invalid("redirect_uris must contain members")
    _check_policy(provider, document, [*redirect_uris, *post_logout_redirect_uris])
    return DynamicClient(
        id=client_id,
        name=document.get("client_name", ""),
        type=_type(document, method),
        secrets=[],
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=post_logout_redirect_uris,
        logo_uri=document.get("logo_uri"),
        is_third_party=True,
        has_secretless_auth=method == "none",
    )


def _type(document: dict[str, Any], method: object) -> ApplicationType:
    """Return the type of a registered application that the engine treats in the same way."""
    if document.get("application_type") == "native":
        return "Native"
    return "SPA" if method == "none" else "Traditional"


def _check_required(document: dict[str, Any], method: object) -> None:
    # Without a method, the default of the engine applies, and it needs a secret.
    if method in _SHARED_SECRETS or str(document.get("id_token_signed_response_alg", "")).startswith("HS"):
        raise _invalid("client_secret is mandatory property")
    if document.get("redirect_uris") in (None, "", 0, False):
        raise _invalid("redirect_uris is mandatory property")
    if method == "private_key_jwt" and not (document.get("jwks") or document.get("jwks_uri")):
        raise _invalid("jwks or jwks_uri is mandatory for this client")


def _check_types(document: dict[str, Any]) -> None:
    for name in _LISTS:
        if name in document and not isinstance(document[name], list):
            raise _invalid(f"{name} must be an array")
    for name in (*_TEXTS, *_LISTS):
        values = document.get(name, []) if name in _LISTS else [document[name]] if name in document else []
        if not all(isinstance(value, str) and value for value in values):
            wanted = "must only contain strings" if name in _LISTS else "must be a non-empty string if provided"
            raise _invalid(f"{name} {wanted}")
    if not document["client_id"].isascii():
        raise _invalid("invalid client_id value")


def _check_choices(provider: Provider, document: dict[str, Any], method: object) -> None:
    algs = provider.keys.advertised_algs()
    for name, choices in (
        ("application_type", ("native", "web")),
        ("id_token_signed_response_alg", tuple(algs)),
        ("subject_type", ("public",)),
    ):
        if name in document and document[name] not in choices:
            raise _invalid(f"{name} must be {errors.listed(choices, 'or')}")
    if method not in _AUTH_METHODS:
        raise _invalid(f"token_endpoint_auth_method must be {errors.listed(_AUTH_METHODS, 'or')}")


def _check_uris(label: str, uris: Iterable[str]) -> None:
    for uri in uris:
        url = parse_url(uri.replace("*", "wildcard"))
        if url is None:
            raise _invalid(f"{label} must only contain valid uris")
        if url.fragment:
            raise _invalid(f"{label} must not contain fragments")


def _check_policy(provider: Provider, document: dict[str, Any], uris: Iterable[str]) -> None:
    """Raise OIDCError for what Logto itself refuses."""
    alg, key = document.get("id_token_signed_response_alg"), provider.signing_key
    if alg is not None and key is not None and alg != key.alg:
        raise _invalid(f"id_token_signed_response_alg {alg} cannot be signed with the tenant signing key")
    for name in _PRIVATE:
        if name in document:
            raise _invalid(f"client_id metadata document must not contain Logto private metadata ({name})")
    for uri in uris:
        if "*" in uri and not is_valid_pattern(uri):
            raise _invalid(f"client_id metadata document contains an unsupported wildcard redirect URI pattern ({uri})")


def _invalid(description: str) -> errors.OIDCError:
    error = "invalid_redirect_uri" if description.startswith("redirect_uris") else "invalid_client_metadata"
    return errors.OIDCError(error, description, redirectable=False)

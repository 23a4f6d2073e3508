"""`/api/configs`: signing keys, lifetime of sessions, and claims of ID tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from logto_auth.emulator.oidc.claims import CLAIMS_BY_SCOPE, EXTENDED_CLAIMS
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.keys import SigningKey
from logto_auth.emulator.state.tenant import Tenant

from .api_errors import APIError
from .routing import body, route
from .schemas import choice, integer, list_of, object_of, optional

_EXTENDED = [name for names in CLAIMS_BY_SCOPE.values() for name in names if name in EXTENDED_CLAIMS]
_STATUSES = ("Next", "Current", "Previous")
_YEAR = 365 * 86400

_rotation = object_of(
    signingKeyAlgorithm=optional(choice("RSA", "EC")), rotationGracePeriod=optional(integer(at_least=0))
)


@route("GET", "/configs/oidc/private-keys")
def list_keys(tenant: Tenant) -> list[dict[str, Any]]:
    return _listed(current().keys.all())


@route("POST", "/configs/oidc/private-keys/rotate")
def rotate_keys(tenant: Tenant) -> list[dict[str, Any]]:
    given = body(_rotation)
    try:
        keys = current().keys.rotate(given.get("signingKeyAlgorithm", "EC"), given.get("rotationGracePeriod", 0))
    except ValueError as error:
        raise APIError("oidc.invalid_request") from error
    return _listed(keys)


@route("DELETE", "/configs/oidc/private-keys/:keyId", status=204)
def delete_key(tenant: Tenant, key_id: str) -> None:
    keys = current().keys
    key = next((key for key in keys.all() if key.id == key_id), None)
    if key is None:
        raise APIError("oidc.key_not_found", 404, id=key_id)
    if len(keys.all()) == 1:
        raise APIError("oidc.key_required")
    if key.status != "Previous":
        raise APIError("oidc.only_previous_key_can_be_deleted")
    keys.remove(key)


@route("GET", "/configs/oidc/session")
def show_session_lifetime(tenant: Tenant) -> dict[str, Any]:
    return {"ttl": tenant.session_ttl}


@route("PATCH", "/configs/oidc/session")
def change_session_lifetime(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(ttl=optional(integer(at_least=1, at_most=_YEAR))))
    tenant.session_ttl = given.get("ttl", tenant.session_ttl)
    return {"ttl": tenant.session_ttl}


@route("GET", "/configs/id-token")
def show_id_token_claims(tenant: Tenant) -> dict[str, Any]:
    return {"enabledExtendedClaims": [name for name in _EXTENDED if name in tenant.id_token_extended_claims]}


@route("PUT", "/configs/id-token")
def change_id_token_claims(tenant: Tenant) -> dict[str, Any]:
    names = body(object_of(enabledExtendedClaims=list_of(choice(*_EXTENDED))))["enabledExtendedClaims"]
    tenant.id_token_extended_claims = set(names)
    return {"enabledExtendedClaims": names}


def _listed(keys: Iterable[SigningKey]) -> list[dict[str, Any]]:
    """Return the keys in the order of the API, the newest first. The JWKS lists the current one first."""
    return [_as_json(key) for key in sorted(keys, key=lambda key: _STATUSES.index(key.status))]


def _as_json(key: SigningKey) -> dict[str, Any]:
    """Return a key as the API shows it. `createdAt` is in seconds, and `id` is not the `kid`."""
    return {
        "id": key.id,
        "createdAt": key.created_at,
        "signingKeyAlgorithm": key.algorithm,
        "status": key.status,
        **({"effectiveAt": key.effective_at * 1000} if key.status == "Next" else {}),
    }

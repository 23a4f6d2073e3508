"""`/api/configs`: signing keys, lifetime of sessions, claims of ID tokens, and the dynamic app (CIMD)."""

from __future__ import annotations

from typing import Any

from flask import abort

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import boolean, choice, integer, list_of, object_of, optional
from logto_auth.emulator.oidc.claims import CLAIMS_BY_SCOPE, EXTENDED_CLAIMS
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.keys import SigningKey
from logto_auth.emulator.state.tenant import Tenant

from .routing import route

_EXTENDED = [name for names in CLAIMS_BY_SCOPE.values() for name in names if name in EXTENDED_CLAIMS]
_YEAR = 365 * 86400

_CIMD_NEEDS_GUARD = (
    "CIMD requires the OIDC provider SSRF protection. Remove `OIDC_PROVIDER_SSRF_PROTECTION_DISABLED` to enable CIMD."
)

_rotation = object_of(
    signingKeyAlgorithm=optional(choice("RSA", "EC")), rotationGracePeriod=optional(integer(at_least=0))
)


@route("GET", "/configs/oidc/private-keys")
def list_keys(tenant: Tenant) -> list[dict[str, Any]]:
    return _as_list(current().keys.all())


@route("POST", "/configs/oidc/private-keys/rotate")
def rotate_keys(tenant: Tenant) -> list[dict[str, Any]]:
    given = body(_rotation)
    try:
        keys = current().keys.rotate(given.get("signingKeyAlgorithm", "EC"), given.get("rotationGracePeriod", 0))
    except ValueError as error:
        raise APIError("oidc.invalid_request") from error
    return _as_list(keys)


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


@route("GET", "/configs/cimd")
def show_cimd(tenant: Tenant) -> dict[str, Any]:
    _check_cimd_exists(tenant)
    return {"enabled": tenant.cimd_enabled}


@route("PATCH", "/configs/cimd")
def change_cimd(tenant: Tenant) -> dict[str, Any]:
    """Enable or disable the dynamic app. It needs the outbound guard."""
    _check_cimd_exists(tenant)
    enabled = body(object_of(enabled=boolean))["enabled"]
    if enabled and not current().guards_outbound_requests:
        raise APIError("request.invalid_input", data={"details": _CIMD_NEEDS_GUARD})
    tenant.cimd_enabled = enabled
    return {"enabled": enabled}


def _check_cimd_exists(tenant: Tenant) -> None:
    if not tenant.version.has_cimd:
        abort(404)


def _as_list(keys: list[SigningKey]) -> list[dict[str, Any]]:
    """Return the keys as the API lists them: Next, Current, Previous. The JWKS begins with the current one."""
    order = ("Next", "Current", "Previous")
    return [_as_json(key) for key in sorted(keys, key=lambda key: order.index(key.status))]


def _as_json(key: SigningKey) -> dict[str, Any]:
    """Return a key as the API shows it. `createdAt` is in seconds, `effectiveAt` in milliseconds.

    `id` is not the `kid`.
    """
    return {
        "id": key.id,
        "createdAt": key.created_at,
        "signingKeyAlgorithm": key.algorithm,
        "status": key.status,
        **({"effectiveAt": int(key.effective_at * 1000)} if key.status == "Next" and key.effective_at else {}),
    }

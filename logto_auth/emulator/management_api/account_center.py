"""`/api/account-center`: what users may change in their own accounts."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import boolean, choice, custom, list_of, nullable, object_of, optional, text
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.oidc.redirect_uris import parse_url
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import ACCOUNT_FIELDS

from .routing import public, route


def _is_http_url(value: str) -> bool:
    url = parse_url(value)
    return url is not None and url.scheme in {"http", "https"}


_changes = object_of(
    enabled=optional(boolean),
    fields=optional(object_of(**dict.fromkeys(ACCOUNT_FIELDS, optional(choice("Off", "ReadOnly", "Edit"))))),
    webauthnRelatedOrigins=optional(list_of(text())),
    deleteAccountUrl=optional(
        nullable(custom(_is_http_url, text(at_most=2048), message="deleteAccountUrl must be a valid http(s) URL"))
    ),
    customCss=optional(nullable(text())),
    profileFields=optional(nullable(list_of(object_of(name=text())))),
)


@route("GET", "/account-center")
def show_account_center(tenant: Tenant) -> dict[str, Any]:
    return tenant.account_center


@route("PATCH", "/account-center")
def change_account_center(tenant: Tenant) -> dict[str, Any]:
    """Replace the given settings. `fields` is replaced as a whole, and origins are stored once."""
    changes = body(_changes)
    if "webauthnRelatedOrigins" in changes:
        changes["webauthnRelatedOrigins"] = list(dict.fromkeys(changes["webauthnRelatedOrigins"]))
    tenant.account_center |= changes
    return tenant.account_center


@public.get("/.well-known/account-center")
def show_public_account_center() -> Response:
    return json_response(current().tenant.account_center)

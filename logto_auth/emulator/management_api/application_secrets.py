"""The named secrets of applications."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, not_found, refused_input
from logto_auth.emulator.api.schemas import integer, nullable, object_of, optional, text
from logto_auth.emulator.state.application_record import Application, ApplicationSecret
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .routing import route

_name = text(at_least=1, at_most=256)


@route("GET", "/applications/:id/secrets")
def list_secrets(tenant: Tenant, id: str) -> list[dict[str, Any]]:
    application = existing(tenant.applications, id, "applications")
    return [_as_json(application, secret) for secret in application.secrets]


@route("POST", "/applications/:id/secrets", status=201)
def create_secret(tenant: Tenant, id: str) -> dict[str, Any]:
    application = existing(tenant.applications, id, "applications")
    given = body(object_of(name=_name, expiresAt=optional(nullable(integer()))))
    if (given.get("expiresAt") or tenant.clock.now_ms() + 1) <= tenant.clock.now_ms():
        raise refused_input("The value of `expiresAt` must be in the future.")
    _refuse_taken(application, given["name"])
    secret = tenant.add_application_secret(id, given["name"], expires_at=given.get("expiresAt"))
    return _as_json(application, secret)


@route("PATCH", "/applications/:id/secrets/:name")
def rename_secret(tenant: Tenant, id: str, name: str) -> dict[str, Any]:
    application = existing(tenant.applications, id, "applications")
    secret, new_name = _existing_secret(application, name), body(object_of(name=_name))["name"]
    if new_name != name:
        _refuse_taken(application, new_name)
    secret.name = new_name
    return _as_json(application, secret)


@route("DELETE", "/applications/:id/secrets/:name", status=204)
def delete_secret(tenant: Tenant, id: str, name: str) -> None:
    application = existing(tenant.applications, id, "applications")
    application.secrets.remove(_existing_secret(application, name))


def _existing_secret(application: Application, name: str) -> ApplicationSecret:
    for secret in application.secrets:
        if secret.name == name:
            return secret
    raise not_found()


def _refuse_taken(application: Application, name: str) -> None:
    if any(secret.name == name for secret in application.secrets):
        raise APIError("application.secret_name_exists")


def _as_json(application: Application, secret: ApplicationSecret) -> dict[str, Any]:
    return {
        "tenantId": "default",
        "applicationId": application.id,
        "name": secret.name,
        "value": secret.value,
        "createdAt": secret.created_at,
        "expiresAt": secret.expires_at,
    }

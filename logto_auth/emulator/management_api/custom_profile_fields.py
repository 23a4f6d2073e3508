"""`/api/custom-profile-fields`: fields of the profile that a tenant adds. The pages do not ask for them."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import (
    Path,
    Schema,
    anything,
    boolean,
    choice,
    list_of,
    number,
    object_of,
    optional,
    text,
)
from logto_auth.emulator.provider import current
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .lookup import existing
from .routing import route

_TYPES = ("Text", "Number", "Date", "Checkbox", "Select", "Url", "Regex", "Address", "Fullname")
_BATCH = 20

_placeholder = {"placeholder": optional(text(at_most=256))}
_parts = object_of(parts=list_of(anything))
_optional_number = optional(number)
_configs: dict[str, Schema] = {
    "Text": optional(object_of(**_placeholder, minLength=_optional_number, maxLength=_optional_number)),
    "Number": optional(object_of(**_placeholder, minValue=_optional_number, maxValue=_optional_number)),
    "Date": optional(object_of(**_placeholder, format=text(), customFormat=optional(text()))),
    "Checkbox": optional(object_of(defaultValue=choice("true", "false"))),
    "Select": object_of(**_placeholder, options=list_of(object_of(label=optional(text()), value=text()))),
    "Url": optional(object_of(**_placeholder)),
    "Regex": object_of(**_placeholder, format=text()),
    "Address": _parts,
    "Fullname": _parts,
}


def _data(name: dict[str, Schema]) -> Schema:
    """Return the schema of a field, whose `config` depends on its `type`."""

    def schema(value: Any, path: Path) -> Any:
        head = object_of(type=choice(*_TYPES))(value, path)
        rest = object_of(
            **name,
            type=text(),
            label=optional(text(at_least=1)),
            description=optional(text()),
            required=boolean,
            config=_configs[head["type"]],
        )
        return rest(value, path)

    return schema


_new = _data({"name": text(at_least=1, at_most=128)})
_changes = _data({})


@route("GET", "/custom-profile-fields")
def list_fields(tenant: Tenant) -> list[dict[str, Any]]:
    return _in_order(tenant)


@route("POST", "/custom-profile-fields", status=201)
def create_field(tenant: Tenant) -> dict[str, Any]:
    return _added(tenant, body(_new))


@route("POST", "/custom-profile-fields/batch", status=201)
def create_fields(tenant: Tenant) -> list[dict[str, Any]]:
    given = body(list_of(_new, at_most=_BATCH))
    return [_added(tenant, each) for each in given]


@route("GET", "/custom-profile-fields/:name")
def show_field(tenant: Tenant, name: str) -> dict[str, Any]:
    return existing(tenant.custom_profile_fields, name)


@route("PUT", "/custom-profile-fields/:name")
def replace_field(tenant: Tenant, name: str) -> dict[str, Any]:
    field = existing(tenant.custom_profile_fields, name)
    field |= {"label": "", "description": None, "config": {}, **body(_changes)}
    return field


@route("DELETE", "/custom-profile-fields/:name", status=204)
def delete_field(tenant: Tenant, name: str) -> None:
    del tenant.custom_profile_fields[existing(tenant.custom_profile_fields, name)["name"]]


@route("POST", "/custom-profile-fields/properties/sie-order")
def order_fields(tenant: Tenant) -> list[dict[str, Any]]:
    order = body(object_of(order=list_of(object_of(name=text(), sieOrder=number))))["order"]
    missing = [each["name"] for each in order if each["name"] not in tenant.custom_profile_fields]
    if missing:
        raise APIError("custom_profile_fields.entity_not_exists_with_names", 400, names=", ".join(missing))
    for each in order:
        tenant.custom_profile_fields[each["name"]]["sieOrder"] = each["sieOrder"]
    return _in_order(tenant)


def _added(tenant: Tenant, given: dict[str, Any]) -> dict[str, Any]:
    fields = tenant.custom_profile_fields
    if given["name"] in fields:
        raise DuplicateError("entity.unique_integrity_violation")
    fields[given["name"]] = {
        "tenantId": "default",
        "id": ids.standard_id(),
        "name": given["name"],
        "type": given["type"],
        "label": given.get("label", ""),
        "description": given.get("description"),
        "required": given["required"],
        "config": given.get("config", {}),
        "createdAt": current().clock.now_ms(),
        "sieOrder": len(fields) + 1,
    }
    return fields[given["name"]]


def _in_order(tenant: Tenant) -> list[dict[str, Any]]:
    return sorted(tenant.custom_profile_fields.values(), key=lambda field: field["sieOrder"])

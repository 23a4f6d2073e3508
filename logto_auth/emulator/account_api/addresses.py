"""`/api/my-account/primary-email` and `/primary-phone`."""

from __future__ import annotations

from typing import Any, Literal

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import Schema, object_of, text
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.api.user_schemas import check_lengths, email, phone
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.account_rules import check_new_email, check_remaining_identifier
from logto_auth.emulator.state.tenant import Tenant

from .caller import Caller
from .routing import route

_Kind = Literal["email", "phone"]
_ATTRIBUTES = {"email": "primary_email", "phone": "primary_phone"}
_SCHEMAS: dict[str, Schema] = {
    kind: object_of(**{kind: schema}, newIdentifierVerificationRecordId=text())
    for kind, schema in {"email": email, "phone": phone}.items()
}


@route("POST", "/my-account/primary-email", status=204)
def set_email(tenant: Tenant, caller: Caller) -> None:
    _set_address(tenant, caller, "email")


@route("DELETE", "/my-account/primary-email", status=204)
def remove_email(tenant: Tenant, caller: Caller) -> None:
    _remove_address(tenant, caller, "email")


@route("POST", "/my-account/primary-phone", status=204)
def set_phone(tenant: Tenant, caller: Caller) -> None:
    _set_address(tenant, caller, "phone")


@route("DELETE", "/my-account/primary-phone", status=204)
def remove_phone(tenant: Tenant, caller: Caller) -> None:
    _remove_address(tenant, caller, "phone")


def _set_address(tenant: Tenant, caller: Caller, kind: _Kind) -> None:
    """Set the address to one whose code the user verified."""
    given: dict[str, Any] = body(_SCHEMAS[kind])
    _check(caller, kind)
    address, attribute = given[kind], _ATTRIBUTES[kind]
    if kind == "email":
        check_new_email(tenant.sign_in_experience.settings["emailBlocklistPolicy"], address)
    current().verifications.check_new_address(given["newIdentifierVerificationRecordId"], kind, address)
    check_lengths({"primaryEmail": address})
    announce_change(tenant.update_user(caller.user.id, **{attribute: address}))


def _remove_address(tenant: Tenant, caller: Caller, kind: _Kind) -> None:
    _check(caller, kind)
    nothing = {_ATTRIBUTES[kind]: None}
    check_remaining_identifier(caller.user, **nothing)
    announce_change(tenant.update_user(caller.user.id, **nothing))


def _check(caller: Caller, kind: _Kind) -> None:
    caller.require_verification()
    caller.require_edit(kind)
    caller.require_scope(kind)
    caller.require_first_party()

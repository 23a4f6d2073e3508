"""`/api/my-account/identities`: the accounts at social providers that are linked to the user."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.schemas import object_of, text
from logto_auth.emulator.api.user_events import announce_change
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.account_rules import check_remaining_identifier
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.verification_records import SocialRecord

from .caller import Caller
from .routing import route

_new = object_of(newIdentifierVerificationRecordId=text())


@route("POST", "/my-account/identities", status=204)
def link_identity(tenant: Tenant, caller: Caller) -> None:
    _link(tenant, caller, may_replace=False)


@route("PUT", "/my-account/identities", status=204)
def replace_identity(tenant: Tenant, caller: Caller) -> None:
    """Link an account in place of the one at the same provider, if there is one."""
    _link(tenant, caller, may_replace=True)


@route("DELETE", "/my-account/identities/:target", status=204)
def unlink_identity(tenant: Tenant, caller: Caller, target: str) -> None:
    _check(caller, status=400)
    if target not in caller.user.identities:
        raise Refused("user.identity_not_exist", 404)
    kept = {name: identity for name, identity in caller.user.identities.items() if name != target}
    check_remaining_identifier(caller.user, identities=kept)
    announce_change(tenant.update_user(caller.user.id, identities=kept))


@route("GET", "/my-account/identities/:target/access-token")
def show_access_token(tenant: Tenant, caller: Caller, target: str) -> dict[str, Any]:
    """The emulator stores no tokens of social providers."""
    if "identities" not in caller.scopes:
        raise Refused("auth.forbidden", 403)
    raise Refused("secrets.third_party_token_set.token_not_found", 404)


def _link(tenant: Tenant, caller: Caller, *, may_replace: bool) -> None:
    """Link the account of a verified record. Like Logto, do not compare who started the verification."""
    record_id = body(_new)["newIdentifierVerificationRecordId"]
    _check(caller, status=401)
    record = current().verifications.verified(record_id, SocialRecord)
    info = record.user_info or {}
    owner = tenant.find_user_by_identity(record.target, info["id"])
    if owner is not None and owner is not caller.user:
        raise Refused("user.identity_already_in_use", 422)
    if record.target in caller.user.identities and not may_replace:
        raise Refused("user.identity_already_in_use")
    identity = {"userId": info["id"], "details": info}
    identities = {**caller.user.identities, record.target: identity}
    announce_change(tenant.update_user(caller.user.id, identities=identities))


def _check(caller: Caller, *, status: int) -> None:
    """Raise Refused unless the caller may change linked accounts. `status` is that of a missing scope."""
    caller.require_edit("social")
    caller.require_scope("identities", status=status)
    caller.require_first_party()
    caller.require_verification_if_possible()

"""The user of a request, and what the user may do.

Logto's statuses are uneven, and so is the order of its checks: each view calls them in Logto's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from flask import request

from logto_auth.emulator.api.bearer_token import bearer_token
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.account_rules import has_verification_method
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused, permission_denied
from logto_auth.emulator.state.stored_tokens import AccessToken

VERIFICATION_HEADER = "logto-verification-id"

Field = Literal[
    "name",
    "avatar",
    "profile",
    "email",
    "phone",
    "password",
    "username",
    "social",
    "customData",
    "mfa",
    "passkey",
    "session",
]


@dataclass(frozen=True)
class Caller:
    """The user of an access token. `is_verified` says whether the request has a verification record that counts."""

    user: User
    token: AccessToken
    application: Application | None
    is_verified: bool
    account_center: dict[str, Any]

    @property
    def scopes(self) -> frozenset[str]:
        return frozenset(self.token.scopes)

    def require_scope(self, scope: str, *, status: int = 400) -> None:
        """Raise Refused with this status unless the token has the scope."""
        if scope not in self.scopes:
            raise Refused("auth.unauthorized", status)

    def require_edit(self, field: Field) -> None:
        """Raise Refused unless users may change the field."""
        if self.permission(field) != "Edit":
            raise Refused("account_center.field_not_editable")

    def require_read(self, field: Field) -> None:
        """Raise Refused unless users may at least read the field."""
        if not self.may_read(field):
            raise Refused("account_center.field_not_enabled")

    def may_read(self, field: Field) -> bool:
        return self.permission(field) in {"ReadOnly", "Edit"}

    def permission(self, field: Field) -> str:
        """Return `Off`, `ReadOnly` or `Edit`. A field that the tenant did not set is off."""
        return str(self.account_center["fields"].get(field, "Off"))

    @property
    def passkey_field(self) -> Field:
        """The field whose permission counts for passkeys: that of factors, unless the tenant set one for passkeys."""
        return "passkey" if "passkey" in self.account_center["fields"] else "mfa"

    def require_verification(self) -> None:
        """Raise Refused unless the request has a verification record that proves the identity of the user."""
        if not self.is_verified:
            raise permission_denied()

    def require_verification_if_possible(self) -> None:
        """Raise Refused unless the identity is proved, or the user has nothing to prove it with."""
        if has_verification_method(self.user):
            self.require_verification()

    def require_first_party(self) -> None:
        """Raise Refused for the token of a third-party application, and of an unknown one."""
        if self.application is None or self.application.is_third_party:
            raise Refused("auth.third_party_application_forbidden", 403)


def current_caller(provider: Provider) -> Caller:
    """Return the user of the request. Raise APIError without a usable token, and while the account center is off."""
    token = provider.instances.access_tokens.get(bearer_token())
    if token is None or not provider.instances.is_usable(token):
        raise APIError("auth.unauthorized", 401)
    user = provider.tenant.users.get(token.account_id)
    if user is None or user.is_suspended:
        raise APIError("auth.unauthorized", 401)
    if "openid" not in token.scopes:
        raise APIError("auth.forbidden", 403)
    if not provider.tenant.account_center["enabled"]:
        raise APIError("account_center.not_enabled", 400)
    return Caller(
        user=user,
        token=token,
        application=provider.find_application(token.client_id),
        is_verified=provider.verifications.proves_identity(request.headers.get(VERIFICATION_HEADER), user.id),
        account_center=provider.tenant.account_center,
    )

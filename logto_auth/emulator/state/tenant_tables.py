"""The tables of a tenant, and the checks of names that several of them share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import RLock
from typing import Any, Literal

from logto_auth.emulator.versions import DEFAULT, VERSIONS

from .application_record import Application
from .clock import Clock
from .consent_scopes import ConsentScopes
from .message_connectors import SentMessages
from .records import (
    AlipayAccount,
    Hook,
    Invitation,
    OneTimeToken,
    Organization,
    OrganizationRole,
    PersonalAccessToken,
    Resource,
    Role,
    RoleType,
    Scope,
    User,
)
from .sign_in_settings import SignInExperience
from .sso_connectors import SsoConnector
from .uploads import Upload

# The fields of the account center.
ACCOUNT_FIELDS = (
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
)
FieldPermission = Literal["Off", "ReadOnly", "Edit"]

_SESSION_TTL = 14 * 86400


class DuplicateError(ValueError):
    """A record with this name exists. `code` is Logto's, such as `user.username_already_in_use`.

    `values` are those of the placeholders in Logto's message.
    """

    def __init__(self, code: str, **values: str) -> None:
        super().__init__(f"The name is in use. Logto answers 422 {code}.")
        self.code = code
        self.values: dict[str, Any] = dict(values)


class TenantTables:
    """All records of a tenant by id; organization permissions by name."""

    def __init__(self, clock: Clock) -> None:
        self.lock = RLock()
        self.clock = clock
        self.version = VERSIONS[DEFAULT]
        self._clear()

    def _clear(self) -> None:
        self.users: dict[str, User] = {}
        self.applications: dict[str, Application] = {}
        self.roles: dict[str, Role] = {}
        self.resources: dict[str, Resource] = {}
        self.organizations: dict[str, Organization] = {}
        self.organization_roles: dict[str, OrganizationRole] = {}
        self.organization_scopes: dict[str, Scope] = {}
        self.invitations: dict[str, Invitation] = {}
        self.organization_consents: set[tuple[str, str, str]] = set()
        self.one_time_tokens: dict[str, OneTimeToken] = {}
        self.sso_connectors: dict[str, SsoConnector] = {}
        self.alipay_accounts: list[AlipayAccount] = []
        self.sign_in_experience = SignInExperience()
        self.account_center = _default_account_center()
        self.jwt_customizers: dict[str, dict[str, Any]] = {}
        self.actions: dict[str, dict[str, Any]] = {}
        self.custom_profile_fields: dict[str, dict[str, Any]] = {}
        self.id_token_extended_claims = {"roles", "organizations", "organization_roles"}
        self.session_ttl = _SESSION_TTL
        self.hooks: dict[str, Hook] = {}
        self.sent_messages = SentMessages()
        self.personal_access_tokens: dict[str, PersonalAccessToken] = {}
        self.cimd_enabled = False
        self.cimd_ceiling = ConsentScopes()
        self.has_storage = False
        self.uploads: dict[str, Upload] = {}

    def _existing_roles(self, names: Iterable[str], type: RoleType = "User") -> list[str]:
        return _all_of_type(names, {role.name: role.type for role in self.roles.values()}, type, "role")

    def _existing_organization_roles(self, names: Iterable[str], type: RoleType = "User") -> list[str]:
        known = {role.name: role.type for role in self.organization_roles.values()}
        return _all_of_type(names, known, type, "organization role")


def _default_account_center() -> dict[str, Any]:
    return {
        "tenantId": "default",
        "id": "default",
        "enabled": False,
        "fields": {},
        "webauthnRelatedOrigins": [],
        "deleteAccountUrl": None,
        "customCss": None,
        "profileFields": None,
    }


def _all_of_type(names: Iterable[str], known: Mapping[str, RoleType], type: RoleType, kind: str) -> list[str]:
    """Return the names without repetitions. Raise ValueError for an unknown role and for a role of the other type."""
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in known:
            raise ValueError(f"The tenant has no {kind} {name!r}. Add it first.")
        if known[name] != type:
            raise ValueError(f"The {kind} {name!r} has the type {known[name]}; expected {type}.")
    return names

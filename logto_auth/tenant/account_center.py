"""Logto's account center: its declaration, and the part of a plan about it. A tenant has one for all applications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.origins import ascii_hint, is_origin

from .steps import Step, change_step, exact_difference, list_difference, merge
from .uris import is_url_or_path, normalize_uri

if TYPE_CHECKING:
    from logto_auth.management_api.types import AccountCenter as StoredAccountCenter
    from logto_auth.management_api.types import AccountCenterChanges, AccountCenterFields

__all__ = [
    "ACCOUNT_FIELDS",
    "OFF",
    "AccountCenter",
    "AccountField",
    "FieldPermission",
    "account_center_errors",
    "account_center_step",
]

AccountField = Literal[
    "name",
    "avatar",
    "profile",
    "username",
    "email",
    "phone",
    "password",
    "social",
    "customData",
    "mfa",
    "passkey",
    "session",
]
FieldPermission = Literal["Off", "ReadOnly", "Edit"]

ACCOUNT_FIELDS: tuple[AccountField, ...] = get_args(AccountField)
PERMISSIONS: tuple[FieldPermission, ...] = get_args(FieldPermission)
# The permission of a field that the tenant does not name.
OFF: Final = "Off"
# The longest URL that Logto stores, in characters.
MAX_URL = 2048


@dataclass(frozen=True, kw_only=True)
class AccountCenter:
    """What users may read and change in their own accounts, on the pages of this site and on those of Logto."""

    enabled: bool = True
    """Whether the account center is on. If it is off, no account page works."""
    fields: Mapping[AccountField, FieldPermission] = field(default_factory=dict)
    """The permissions by field. A field that is not declared keeps the permission that the tenant has."""
    webauthn_related_origins: Sequence[str] | None = None
    """The origins of the pages on which users add passkeys. They are added to those of the tenant.
    None: the origins of this site if `passkey`, or else `mfa`, is declared as `Edit`, and otherwise no origin."""
    delete_account_url: str = ""
    """Where Logto's account pages send users who want to delete their account: a URL, or a path of the site that
    begins with `/`. Empty: it is not changed."""

    @classmethod
    def all_editable(
        cls,
        *,
        fields: Mapping[AccountField, FieldPermission] | None = None,
        webauthn_related_origins: Sequence[str] | None = None,
        delete_account_url: str = "",
    ) -> AccountCenter:
        """Return an account center that is on and lets users change every field, except for those in `fields`."""
        all_fields: dict[AccountField, FieldPermission] = dict.fromkeys(ACCOUNT_FIELDS, "Edit")
        return cls(
            fields={**all_fields, **(fields or {})},
            webauthn_related_origins=webauthn_related_origins,
            delete_account_url=delete_account_url,
        )

    @property
    def allows_passkeys(self) -> bool:
        """Whether the declaration lets users add passkeys."""
        # Without a permission for passkeys, Logto uses that for second factors.
        return self.enabled and self.fields.get("passkey", self.fields.get("mfa")) == "Edit"


def account_center_errors(declared: AccountCenter | None) -> Iterator[str]:
    """Yield a sentence for each value that Logto would reject, or would accept and never use."""
    if declared is None:
        return
    for name, permission in declared.fields.items():
        if name not in ACCOUNT_FIELDS:
            yield f"account_center has the field {name!r:.80}, expected one of {', '.join(ACCOUNT_FIELDS)}."
        elif permission not in PERMISSIONS:
            yield f"account_center has {permission!r:.80} for the field {name}, expected {_list(PERMISSIONS)}."
    for origin in declared.webauthn_related_origins or ():
        if not is_origin(origin) or "*" in origin:
            text = (
                f"webauthn_related_origins of account_center contains {origin!r:.200}, expected an origin without a "
                "path and without a wildcard, such as https://shop.example."
            )
            yield f"{text} {ascii_hint(origin)}".rstrip()
    yield from _delete_account_url_errors(declared.delete_account_url)


def _delete_account_url_errors(url: str) -> Iterator[str]:
    if not url:
        return
    # Logto compares the scheme in lower case.
    if not is_url_or_path(url) or not url.startswith(("/", "http://", "https://")):
        text = (
            f"delete_account_url of account_center is {url!r:.200}, which is neither an http or https URL nor a path "
            "that begins with /."
        )
        yield f"{text} {ascii_hint(url)}".rstrip()
    elif len(url) > MAX_URL:
        yield f"delete_account_url of account_center has {len(url)} characters, expected at most {MAX_URL}."


def account_center_step(api: ManagementAPI, declared: AccountCenter) -> Step:
    """Return the step that changes the account center. Its paths and defaults have been replaced by URLs."""
    stored = api.account_center.get()
    differences = [
        exact_difference("enabled", stored["enabled"], declared.enabled),
        *(
            exact_difference(f"field {name}", stored["fields"].get(name, OFF), permission)
            for name, permission in declared.fields.items()
        ),
        list_difference("WebAuthn related origins", stored["webauthnRelatedOrigins"], _origins(declared)),
        exact_difference("delete account URL", stored["deleteAccountUrl"], declared.delete_account_url)
        if declared.delete_account_url
        else None,
    ]

    def send() -> None:
        # Read the current value again, to keep what was added since the plan was made.
        answer = api.account_center.update(_changes(declared, api.account_center.get()))
        if dropped := [name for name, each in declared.fields.items() if answer["fields"].get(name, OFF) != each]:
            raise ConfigurationError(
                f"Logto did not store the permission of {', '.join(dropped)}. This version of Logto does not have the "
                "field. Remove it from account_center, or update Logto."
            )

    return change_step("account center", "of all applications of the tenant", differences, send)


def _changes(declared: AccountCenter, stored: StoredAccountCenter) -> AccountCenterChanges:
    """Return the payload with the declared values. Logto replaces fields and origins as a whole."""
    changes: AccountCenterChanges = {"enabled": declared.enabled}
    if declared.fields:
        changes["fields"] = cast("AccountCenterFields", {**stored["fields"], **declared.fields})
    if origins := _origins(declared):
        changes["webauthnRelatedOrigins"] = merge(stored["webauthnRelatedOrigins"], origins)
    if declared.delete_account_url:
        changes["deleteAccountUrl"] = declared.delete_account_url
    return changes


def _origins(declared: AccountCenter) -> list[str]:
    """Return the declared origins in the form in which browsers report them, and Logto compares them."""
    return [normalize_uri(origin).rstrip("/") for origin in declared.webauthn_related_origins or ()]


def _list(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}"

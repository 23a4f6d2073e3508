"""The claims and identities from Logto, formatted for display."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

LABELS = {
    "sub": gettext_lazy("Logto user ID"),
    "name": gettext_lazy("Name"),
    "username": gettext_lazy("Username"),
    "preferred_username": gettext_lazy("Preferred username"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("Email"),
    "email_verified": gettext_lazy("Email verified"),
    "phone_number": gettext_lazy("Phone"),
    "phone_number_verified": gettext_lazy("Phone verified"),
    "picture": gettext_lazy("Picture"),
    "roles": gettext_lazy("Roles"),
    "organizations": gettext_lazy("Organizations"),
    "organization_roles": gettext_lazy("Organization roles"),
    "organization_data": gettext_lazy("Organization data"),
    "iss": gettext_lazy("Issuer"),
    "aud": gettext_lazy("Audience"),
    "iat": gettext_lazy("Issued"),
    "exp": gettext_lazy("Expires"),
    "auth_time": gettext_lazy("Signed in at"),
    "created_at": gettext_lazy("Joined"),
    "updated_at": gettext_lazy("Updated"),
    "sid": gettext_lazy("Session ID"),
    "nonce": gettext_lazy("Nonce"),
    "at_hash": gettext_lazy("Access token hash"),
}
SECONDS = {"iat", "exp", "nbf", "auth_time"}
MILLISECONDS = {"created_at", "updated_at"}  # Logto gives these two in milliseconds


@dataclass(frozen=True)
class Claim:
    name: str
    """The name in the token."""
    label: str
    text: str
    is_long: bool = False
    """Whether the text is JSON on several lines."""


@dataclass(frozen=True)
class Identity:
    target: str
    """Logto's name of the provider, such as "alipay"."""
    label: str
    """What the provider calls the account: a name, an email address or an id."""
    account_id: str


def presentable(claims: Mapping[str, Any]) -> list[Claim]:
    """Return the claims that are not null, in a fixed order with the best-known ones first."""
    order = list(LABELS)
    names = sorted(claims, key=lambda name: (order.index(name) if name in LABELS else len(order), name))
    return [_presentable(name, claims[name]) for name in names if claims[name] is not None]


def _presentable(name: str, value: Any) -> Claim:
    label = str(LABELS.get(name, name))
    if isinstance(value, bool):
        return Claim(name, label, _("yes") if value else _("no"))
    if isinstance(value, int | float) and name in SECONDS | MILLISECONDS:
        return Claim(name, label, _moment(value / 1000 if name in MILLISECONDS else value))
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return Claim(name, label, ", ".join(value) or "—")
    if isinstance(value, dict | list):
        return Claim(name, label, json.dumps(value, ensure_ascii=False, indent=2), is_long=True)
    return Claim(name, label, str(value))


def _moment(timestamp: float) -> str:
    try:
        moment = datetime.fromtimestamp(timestamp, tz=timezone.utc)
    except (ValueError, OverflowError, OSError):
        return str(timestamp)
    return f"{date_format(moment, 'DATETIME_FORMAT')} UTC"


def identities(user_info: Mapping[str, Any]) -> list[Identity]:
    """Return the social accounts linked in Logto, from its userinfo."""
    found = []
    for target, identity in sorted((user_info.get("identities") or {}).items()):
        account_id = str(identity.get("userId") or "")
        details = identity.get("details") or {}
        label = details.get("name") or details.get("email") or account_id
        found.append(Identity(target=target, label=str(label), account_id=account_id))
    return found

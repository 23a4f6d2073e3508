"""The whole pages: personal information, security and sessions. The parameters of the tasks do not count here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, request

from logto_auth.emulator.api.user_schemas import PROFILE_KEYS
from logto_auth.emulator.oidc.redirect_uris import form_encode
from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .tasks import Center, Task
from .visits import BASE

# Fields of the profile page that are several keys in one.
_COMPOSITES = {"fullname": ("givenName", "middleName", "familyName")}


def is_visible(permission: str | None) -> bool:
    return permission in {"ReadOnly", "Edit"}


def available_pages(center: Center) -> list[str]:
    """Return the paths of the whole pages that have something to show, in order."""
    return [each.path for each in (Profile(), Security(), Sessions()) if is_visible(each.permission(center))]


class _WholePage(Task):
    def task_url(self, path: str) -> str:
        """Return the URL of a task that comes back here, unless a site waits already."""
        return f"{BASE}/{path}?{form_encode([('redirect', request.base_url)])}"

    def page(self, center: Center, refusal: SignInRefused | None, **context: Any) -> Response:
        """Return this page, with links to the other whole pages."""
        return center.page(f"{self.path}.html", refusal=refusal, pages=available_pages(center), **context)


class Profile(_WholePage):
    """Show and change the fields that the tenant put on the page."""

    path = "profile"

    def permission(self, center: Center) -> str | None:
        names = [each["name"] for each in center.settings.get("profileFields") or []]
        return "ReadOnly" if any(is_visible(center.fields.get(_field_of(name))) for name in names) else None

    def needs_verification(self, center: Center) -> bool:
        return False

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        rows = [
            {"key": key, "value": _value_of(center.user, key), "editable": center.fields.get(field) == "Edit"}
            for key, field in _keys_of(center)
        ]
        return self.page(center, refusal, rows=rows)

    def submit(self, center: Center) -> Response:
        """Change the one field of the form."""
        key, value = request.form.get("key", ""), request.form.get("value", "").strip()
        fields = dict(_keys_of(center))
        if fields.get(key) == "profile":
            center.call("PATCH", "/my-account/profile", {key: value})
        elif key in fields:
            center.call("PATCH", "/my-account", {key: value or None})
        return center.again()


class Security(_WholePage):
    """Show what protects the account, with links to the tasks, and remove what needs no page."""

    path = "security"
    _FIELDS = ("username", "email", "phone", "password")

    def permission(self, center: Center) -> str | None:
        fields = center.fields
        shows_social = is_visible(fields.get("social")) and center.listed_connectors
        shows_factors = is_visible(fields.get("mfa")) and center.factor_types
        shows_passkeys = is_visible(center.passkey_permission) and center.takes_passkeys
        shown = (
            any(is_visible(fields.get(name)) for name in self._FIELDS)
            or shows_social
            or shows_factors
            or shows_passkeys
            or (center.settings.get("deleteAccountUrl") or "").strip()
        )
        return "ReadOnly" if shown else None

    def needs_verification(self, center: Center) -> bool:
        # Only removing and the switch for MFA need it.
        return request.method == "POST"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        sees_factors = is_visible(center.fields.get("mfa"))
        return self.page(
            center,
            refusal,
            task_url=self.task_url,
            factors={each["type"]: each for each in center.factors()} if sees_factors else {},
            skips_mfa=sees_factors and center.call("GET", "/my-account/mfa-settings")["skipMfaOnSignIn"],
        )

    def submit(self, center: Center) -> Response:
        step = request.form.get("step", "")
        if step == "remove-username":
            center.call("PATCH", "/my-account", {"username": None})
        elif step in {"remove-email", "remove-phone"}:
            center.call("DELETE", f"/my-account/primary-{step.removeprefix('remove-')}")
        elif step == "mfa":
            skips = request.form.get("skip") == "yes"
            center.call("PATCH", "/my-account/mfa-settings", {"skipMfaOnSignIn": skips})
        return center.again("Saved.")


class Sessions(_WholePage):
    """List the sessions and the third-party applications, and end them. Both need the verification."""

    path = "sessions"
    field = "session"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        return self.page(
            center,
            refusal,
            sessions=center.call("GET", "/my-account/sessions")["sessions"],
            grants=center.call("GET", "/my-account/grants?appType=thirdParty")["grants"],
        )

    def submit(self, center: Center) -> Response:
        """End a session with all its tokens, or a grant."""
        ended = quote(request.form.get("id", ""), safe="")
        if request.form.get("step") == "grant":
            center.call("DELETE", f"/my-account/grants/{ended}")
        else:
            center.call("DELETE", f"/my-account/sessions/{ended}?revokeGrantsTarget=all")
        return center.again()


def _field_of(name: str) -> str:
    """Return the field of the Account Center that a field of the profile page belongs to."""
    if name in {"name", "avatar"}:
        return name
    return "profile" if name in {*PROFILE_KEYS, *_COMPOSITES, "address"} else "customData"


def _keys_of(center: Center) -> list[tuple[str, str]]:
    """Return the keys of the page with their fields. Addresses and custom data are left out."""
    names = [each["name"] for each in center.settings.get("profileFields") or []]
    keys = [key for name in names for key in _COMPOSITES.get(name, (name,))]
    shown = [(key, _field_of(key)) for key in keys if key != "address"]
    return [(key, field) for key, field in shown if field != "customData" and is_visible(center.fields.get(field))]


def _value_of(user: dict[str, Any], key: str) -> str:
    source = user if key in {"name", "avatar"} else user.get("profile") or {}
    return str(source.get(key) or "")

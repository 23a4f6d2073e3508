"""The URLs of the sign-in and consent pages, with Logto's own authorization parameters."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import join
from urllib.parse import quote

from logto_auth.emulator.state.sessions import AuthorizationRequest

from .redirect_uris import form_encode

_SCREENS = {
    "sign_in": "sign-in",
    "signIn": "sign-in",
    "register": "register",
    "signUp": "register",
    "reset_password": "reset-password",
    "identifier:sign_in": "identifier-sign-in",
    "identifier:register": "identifier-register",
    "single_sign_on": "single-sign-on",
}
_FIRST_SCREENS = frozenset(_SCREENS) - {"signUp"}
_INTERACTION_MODES = frozenset({"signIn", "signUp"})
_IDENTIFIERS = frozenset({"email", "phone", "username"})
_EXTRA_PARAMETERS = (
    "first_screen",
    "identifier",
    "interaction_mode",
    "direct_sign_in",
    "login_hint",
    "one_time_token",
    "organization_id",
    "google_one_tap_credential",
)


def extra_parameters(params: Mapping[str, str]) -> dict[str, str]:
    """Return Logto's own parameters. If one of them is malformed, all are ignored, as in Logto."""
    extra = {name: params[name] for name in _EXTRA_PARAMETERS if name in params}
    well_formed = (
        extra.get("first_screen", "sign_in") in _FIRST_SCREENS
        and extra.get("interaction_mode", "signIn") in _INTERACTION_MODES
        and set(extra.get("identifier", "email").split(" ")) <= _IDENTIFIERS
    )
    return extra if well_formed else {}


def sign_in_location(request: AuthorizationRequest) -> str:
    """Return the relative URL of the first page of a sign-in."""
    extra = extra_parameters(request.params)
    screen = _SCREENS[extra.get("first_screen") or extra.get("interaction_mode") or "sign_in"]
    query = {"app_id": request.client.id, "organization_id": extra.get("organization_id")}
    query |= {"ui_locales": request.params.get("ui_locales")}
    query |= {name: extra.get(name) for name in ("one_time_token", "login_hint", "identifier")}
    if "direct_sign_in" not in extra:
        return f"/{screen}?{_encoded(query)}"
    method, _, target = extra["direct_sign_in"].partition(":")
    return f"{join('/direct', quote(method, safe=''), quote(target, safe=''))}?{_encoded(query | {'fallback': screen})}"


def consent_location(request: AuthorizationRequest) -> str:
    """Return the relative URL of the consent page."""
    return f"/consent?{_encoded({'app_id': request.client.id})}"


def ui_cookie(request: AuthorizationRequest) -> dict[str, object]:
    """Return the content of the cookie `_logto`, which the sign-in pages read."""
    organization_id = extra_parameters(request.params).get("organization_id")
    ui_locales = request.params.get("ui_locales")
    # The id of a dynamic client would make the cookie too long.
    app_id = None if request.client.is_dynamic else request.client.id
    cookie = {"appId": app_id, "organizationId": organization_id, "uiLocales": ui_locales}
    return {name: value for name, value in cookie.items() if value is not None}


def _encoded(query: Mapping[str, str | None]) -> str:
    return form_encode((name, value) for name, value in query.items() if value)

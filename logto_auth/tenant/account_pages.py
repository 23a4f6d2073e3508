"""The account pages that the site's URLs include, and what they need of Logto.

The pages are in a layer above this one, so they are known here by the names of their URLs.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.urls import Resolver404, ResolverMatch, get_script_prefix, resolve
from django.utils import translation

from .included_urls import included_url_names

__all__ = ["ACCOUNT_PAGES", "AccountPageNeeds", "has_page_at", "included_pages"]

APP_NAME = "logto_account"
SESSIONS_SCOPE = "urn:logto:scope:sessions"


@dataclass(frozen=True)
class AccountPageNeeds:
    """What a page needs: scopes, and fields of the account center. One field that is not Off suffices."""

    scopes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


_LINKED = AccountPageNeeds(("identities",), ("social",))
_FACTOR = AccountPageNeeds(("identities",), ("mfa",))
_PASSKEY = AccountPageNeeds(("identities",), ("passkey",))

# By the names of the URLs.
ACCOUNT_PAGES = {
    "profile": AccountPageNeeds(("profile",), ("name", "avatar", "profile")),
    "username": AccountPageNeeds(("profile",), ("username",)),
    "email": AccountPageNeeds(("email",), ("email",)),
    "phone": AccountPageNeeds(("phone",), ("phone",)),
    "password": AccountPageNeeds((), ("password",)),
    "security": AccountPageNeeds(("profile", "identities")),
    "authenticator-app": _FACTOR,
    "backup-codes": _FACTOR,
    "factor-at-sign-in": _FACTOR,
    "passkeys": _PASSKEY,
    "passkey": _PASSKEY,
    "linked": _LINKED,
    "link": _LINKED,
    "link-callback": _LINKED,
    # Without the field, the page still shows the sessions on the site.
    "sessions": AccountPageNeeds((SESSIONS_SCOPE,)),
    "applications": AccountPageNeeds((SESSIONS_SCOPE,), ("session",)),
    "delete": AccountPageNeeds(),
    "verify": AccountPageNeeds(("profile",)),
}


def included_pages() -> dict[str, AccountPageNeeds]:
    """Return the account pages that the site's URLs include, by name, with what they need.

    Empty if the URLs do not include `logto_auth.account.urls`.
    """
    included = included_url_names(APP_NAME)
    return {name: needs for name, needs in ACCOUNT_PAGES.items() if name in included}


def has_page_at(path: str, *, deletes_accounts: bool) -> bool:
    """Return whether the site has a page at a path, or where Django redirects a request for the path.

    `deletes_accounts` says whether `LOGTO_DELETE_ACCOUNT` is set. Without it, the page for that does not exist.
    """
    prefix = get_script_prefix()
    if not path.startswith(prefix) or not getattr(settings, "ROOT_URLCONF", None):
        return False
    local = f"/{path.removeprefix(prefix)}"
    paths = [local] if local.endswith("/") or not settings.APPEND_SLASH else [local, f"{local}/"]
    languages = [""]
    if is_language_prefix_patterns_used(settings.ROOT_URLCONF)[0]:
        languages.append(f"/{translation.get_language()}")
    matches = [_match(f"{language}{each}") for language in languages for each in paths]
    found = [each for each in matches if each is not None]
    return any(deletes_accounts or not _is_delete_page(match) for match in found)


def _match(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def _is_delete_page(match: ResolverMatch) -> bool:
    return APP_NAME in match.app_names and match.url_name == "delete"

"""Examine what the account pages need of Logto: the account center, scopes, origins for passkeys, connectors.

A site whose URLs do not include `logto_auth.account.urls` needs none of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient
from logto_auth.origins import is_loopback
from logto_auth.tenant.account_center import OFF
from logto_auth.tenant.account_pages import AccountPageNeeds, has_page_at, included_pages
from logto_auth.tenant.cloud import cloud_tenant
from logto_auth.tenant.password_policy import complete_policy
from logto_auth.tenant.uris import normalize_uri

from .findings import Finding, failure, findings_or_ok, ok, skipped, warning

__all__ = ["connector_findings", "examine", "published"]

BREACH_LIST = "api.pwnedpasswords.com"
# The fields whose changes need a message to the user, with the type of the connector that sends it.
MESSAGES = {"email": "Email", "phone": "Sms"}
DECLARE = "declare it in account_center of LOGTO_TENANT and run manage.py logto_setup"
IN_CONSOLE = "change it in the Logto Console, below Sign-in & account > Account center"


def examine(http: HTTPClient, addresses: Addresses, base_urls: Sequence[str]) -> Iterator[Finding]:
    """Yield the findings about the account pages, which Logto publishes. Raise ProviderError if it does not."""
    pages = included_pages()
    if not pages:
        return
    yield from findings_or_ok(_scopes(pages), "account-scopes", "LOGTO_SCOPES has all scopes of the account pages.")
    center = published(http, addresses, "account-center")
    if not center["enabled"]:
        yield failure(
            "account-center",
            "The account center is off, so no account page works.",
            f"Turn it on: {DECLARE}, or {IN_CONSOLE}.",
        )
        return
    fields: Mapping[str, str] = center["fields"]
    delete_url, origins = center["deleteAccountUrl"] or "", center["webauthnRelatedOrigins"]
    yield from findings_or_ok(
        [*_hidden_pages(pages, fields), *_delete_account_url(delete_url, base_urls)],
        "account-center",
        "The account center is on, and shows what the account pages need.",
    )
    if "passkeys" in pages and _permission("passkey", fields) == "Edit":
        yield from _passkeys(origins, base_urls)
    if "password" in pages and fields.get("password") == "Edit":
        yield _breach_list(published(http, addresses, "sign-in-exp"))


def published(http: HTTPClient, addresses: Addresses, name: str) -> dict[str, Any]:
    """Return settings of the tenant that need no access: `account-center` or `sign-in-exp`. Raise ProviderError."""
    url = f"{addresses.internal_endpoint}/api/.well-known/{name}"
    response = http.get(url)
    if response.status != 200:
        raise ProviderError(f"{url} answered {response.status}, expected 200 and the settings that Logto publishes.")
    return response.json_object()


def _scopes(pages: Mapping[str, AccountPageNeeds]) -> Iterator[Finding]:
    needed = dict.fromkeys(scope for page in pages.values() for scope in page.scopes)
    if missing := [scope for scope in needed if scope not in conf.scopes]:
        loss = " After that, Logto no longer knows the second factor of the sign-in." if conf.second_factor else ""
        yield warning(
            "account-scopes",
            f"LOGTO_SCOPES lacks {', '.join(missing)}. The account pages ask Logto for them once in each session, by "
            f"a redirect that users do not see.{loss}",
            "Add them to LOGTO_SCOPES, so that each sign-in gets them.",
        )


def _hidden_pages(pages: Mapping[str, AccountPageNeeds], fields: Mapping[str, str]) -> Iterator[Finding]:
    hidden: dict[tuple[str, ...], list[str]] = {}
    for name, page in pages.items():
        if page.fields and all(_permission(field, fields) == OFF for field in page.fields):
            hidden.setdefault(page.fields, []).append(name)
    for off, names in hidden.items():
        which = f"The field {off[0]} is" if len(off) == 1 else f"The fields {', '.join(off)} are"
        yield warning(
            "account-center",
            f"{which} Off, so these account pages have nothing to show: {', '.join(names)}.",
            f"Set Edit or ReadOnly: {DECLARE}, or {IN_CONSOLE}.",
        )


def _permission(field: str, fields: Mapping[str, str]) -> str:
    # Without a permission for passkeys, Logto uses that for second factors.
    fallback = fields.get("mfa", OFF) if field == "passkey" else OFF
    return fields.get(field, fallback)


def _delete_account_url(url: str, base_urls: Sequence[str]) -> Iterator[Finding]:
    parts = urlsplit(url)
    origin = normalize_uri(f"{parts.scheme}://{parts.netloc}").rstrip("/")
    if origin in base_urls and not has_page_at(parts.path or "/", deletes_accounts=bool(conf.delete_account)):
        yield warning(
            "account-center",
            f"The account pages of Logto send users who delete their account to {single_line(url)}, where this "
            "site has no page.",
            "Set delete_account_url in account_center of LOGTO_TENANT to a path of the site, and run "
            "manage.py logto_setup. The page logto_account:delete needs LOGTO_DELETE_ACCOUNT.",
        )


def _passkeys(stored: Sequence[str], base_urls: Sequence[str]) -> Iterator[Finding]:
    if base_urls:
        text = "Logto accepts passkeys from all origins of this site."
        yield from findings_or_ok(_origins(stored, base_urls), "passkeys", text)
    else:
        yield skipped("passkeys", "The origins for passkeys were not checked. Set LOGTO_BASE_URL, or pass --base-url.")


def _origins(stored: Sequence[str], base_urls: Sequence[str]) -> Iterator[Finding]:
    for url in base_urls:
        if "*" in url:
            yield warning(
                "passkeys",
                f"The origins of {url} are not known. A passkey cannot be added at an origin that Logto does not list.",
                "Name each origin in webauthn_related_origins of account_center in LOGTO_TENANT.",
            )
        elif url not in stored:
            yield warning(
                "passkeys",
                f"{url} is not among the WebAuthn related origins, so Logto refuses passkeys that users add there.",
                f"Add it: {DECLARE}, or {IN_CONSOLE}.",
            )
        elif url.startswith("http:") and not is_loopback(url):
            yield warning(
                "passkeys", f"Browsers have no passkeys at {url}, without encryption.", "Serve the site by https."
            )


def _breach_list(experience: Mapping[str, Any]) -> Finding:
    policy = complete_policy(experience["passwordPolicy"])
    if not policy["rejects"]["pwned"]:
        return ok("breach-list", "Logto accepts passwords without asking whether they have been leaked.")
    if cloud_tenant(conf):
        return ok("breach-list", "Logto rejects passwords that have been leaked.")
    return ok(
        "breach-list",
        f"Logto asks {BREACH_LIST} about each new password. If Logto's server cannot reach it, Logto answers 500, and "
        "no user can set a password. Then let it through, or declare PasswordPolicy(reject_pwned=False) in "
        "LOGTO_TENANT.",
    )


def connector_findings(api: ManagementAPI) -> Iterator[Finding]:
    """Yield whether Logto can send the messages that changes of e-mail address and phone number need.

    Raise ManagementAPIError.
    """
    pages = included_pages()
    names = [name for name in MESSAGES if name in pages]
    if not names:
        return
    center = api.account_center.get()
    editable = [name for name in names if center["enabled"] and center["fields"].get(name) == "Edit"]
    if editable:
        types = {connector["type"] for connector in api.connectors.all()}
        found = (_no_connector(name) for name in editable if MESSAGES[name] not in types)
        yield from findings_or_ok(found, "messages", "Logto has a connector for the codes that account pages send.")


def _no_connector(field: str) -> Finding:
    what, kind = ("e-mail address", "e-mail") if field == "email" else ("phone number", "SMS")
    return warning(
        "messages",
        f"Users may change their {what}, but Logto has no {kind} connector, so it cannot send them a code.",
        f"Add the connector with manage.py logto_connectors, or set the field {field} to ReadOnly in account_center.",
    )

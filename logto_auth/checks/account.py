"""Checks of a site whose URLs include the account pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage
from django.urls import NoReverseMatch, reverse
from django.utils import translation

from logto_auth.exceptions import ConfigurationError
from logto_auth.tenant.account_center import AccountCenter
from logto_auth.tenant.account_pages import has_page_at, included_pages
from logto_auth.tenant.site import load_declaration

from .lenient_conf import conf
from .parts import missing_parts
from .problem import Problem

ACCOUNT_PAGES_INCOMPLETE = Problem(
    "logto_auth.E039",
    "The site's URLs include the account pages, which need {missing}.",
    "Add it. If no users sign in at this site, remove logto_auth.account.urls.",
)
DELETE_URL_WITHOUT_PAGE = Problem(
    "logto_auth.W024",
    "{path} declares the delete_account_url {url}, where the site has no page.",
    "Correct the path. That of the account pages is the URL of 'logto_account:delete', and needs LOGTO_DELETE_ACCOUNT.",
)
ACCOUNT_CENTER_DECLARED_OFF = Problem(
    "logto_auth.W025",
    "{path} turns the account center off, but the site's URLs include the account pages.",
    "Declare account_center with enabled=True, or remove logto_auth.account.urls.",
)
CALLBACK_IN_EACH_LANGUAGE = Problem(
    "logto_auth.W026",
    "The account pages have another URL in each language, and so have the redirect URIs of linked accounts: {urls}.",
    "Include logto_auth.account.urls outside of i18n_patterns. Otherwise register all of them at each provider, and "
    "silence this check.",
)


def check_account_pages() -> Iterator[CheckMessage]:
    """Check what the account pages require of the rest of the project, and of the declaration of the tenant."""
    center = _declared()
    if center is not None:
        yield from _check_delete_url(center.delete_account_url)
    if not included_pages():
        return
    yield from (ACCOUNT_PAGES_INCOMPLETE(missing=part) for part in missing_parts())
    yield from _check_languages()
    if center is not None and not center.enabled:
        yield ACCOUNT_CENTER_DECLARED_OFF(path=conf.tenant)


def _declared() -> AccountCenter | None:
    try:
        return load_declaration().account_center
    except ConfigurationError:
        return None  # E020 reports it.


def _check_delete_url(url: str) -> Iterator[CheckMessage]:
    path = url.partition("?")[0].partition("#")[0]
    if path.startswith("/") and not has_page_at(path, deletes_accounts=bool(conf.delete_account)):
        yield DELETE_URL_WITHOUT_PAGE(path=conf.tenant, url=url)


def _check_languages() -> Iterator[CheckMessage]:
    urls = []
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            try:
                urls.append(reverse("logto_account:link-callback", args=["connector-id"]))
            except NoReverseMatch:
                return  # The site does not include the page.
    if len(set(urls)) > 1:
        yield CALLBACK_IN_EACH_LANGUAGE(urls=", ".join(dict.fromkeys(urls)))

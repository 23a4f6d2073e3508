"""Checks of a site whose URLs include the pages or the endpoints for API keys."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage

from logto_auth.conf import Conf
from logto_auth.tenant.included_urls import API_KEY_ENDPOINTS, API_KEY_PAGES, included_url_names

from .lenient_conf import conf
from .parts import missing_parts
from .problem import Problem

API_KEY_PAGES_INCOMPLETE = Problem(
    "logto_auth.E052",
    "The site's URLs include the pages for API keys, which need {missing}.",
    "Add it. If no users sign in at this site, remove logto_auth.api_keys.urls.",
)
API_KEYS_WITHOUT_MANAGEMENT_API = Problem(
    "logto_auth.W042",
    "The site's URLs include the pages or the endpoints for API keys, which are off, because LOGTO_M2M_APP_ID and "
    "LOGTO_M2M_APP_SECRET are not set.",
    "Set them to the credentials of a machine-to-machine application with the role 'Logto Management API access'.",
)


def check_api_keys() -> Iterator[CheckMessage]:
    """Check what the pages and endpoints for API keys require of the rest of the project."""
    has_pages = bool(included_url_names(API_KEY_PAGES))
    if has_pages:
        yield from (API_KEY_PAGES_INCOMPLETE(missing=part) for part in missing_parts())
    elif not included_url_names(API_KEY_ENDPOINTS):
        return
    if not any(conf.value_of(setting) for setting in (Conf.m2m_app_id, Conf.m2m_app_secret)):
        # If one of them is set, E018 reports the other.
        yield API_KEYS_WITHOUT_MANAGEMENT_API()

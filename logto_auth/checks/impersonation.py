"""Checks of a site with support access: its URLs include `logto_auth.impersonation.urls`."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.checks import CheckMessage

from logto_auth.conf import Conf
from logto_auth.tenant.included_urls import SUPPORT_ACCESS_PAGES, included_url_names

from .lenient_conf import conf
from .parts import missing_parts
from .problem import Problem

SUPPORT_ACCESS_INCOMPLETE = Problem(
    "logto_auth.E054",
    "The site's URLs include the pages of support access, which need {missing}.",
    "Add it. If staff do not act as users at this site, remove logto_auth.impersonation.urls.",
)
SUPPORT_ACCESS_WITHOUT_MANAGEMENT_API = Problem(
    "logto_auth.W045",
    "The site's URLs include the pages of support access, where nobody can act as a user, because LOGTO_M2M_APP_ID and "
    "LOGTO_M2M_APP_SECRET are not set.",
    "Set them to the credentials of a machine-to-machine application with the role 'Logto Management API access'. "
    "Declare token_exchange=True in LOGTO_TENANT, too.",
)


def check_impersonation() -> Iterator[CheckMessage]:
    """Check what support access requires of the rest of the project."""
    if not included_url_names(SUPPORT_ACCESS_PAGES):
        return
    yield from (SUPPORT_ACCESS_INCOMPLETE(missing=part) for part in missing_parts())
    if not any(conf.value_of(setting) for setting in (Conf.m2m_app_id, Conf.m2m_app_secret)):
        # If one of them is set, E018 reports the other.
        yield SUPPORT_ACCESS_WITHOUT_MANAGEMENT_API()

"""Checks of a site whose URLs include the endpoint for passwords that Logto cannot import."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.core.checks import CheckMessage

from logto_auth.conf import Conf
from logto_auth.tenant.included_urls import PASSWORD_MIGRATION_URLS, included_url_names
from logto_auth.tenant.password_migration import MIN_KEY_LENGTH

from .lenient_conf import conf
from .problem import Problem

PASSWORD_MIGRATION_INCOMPLETE = Problem(
    "logto_auth.E055",
    "The site's URLs include logto_auth.password_migration.urls, which need {missing}.",
    "Set it. If no passwords move, remove logto_auth.password_migration.urls.",
)
PASSWORD_MIGRATION_IS_OVER = Problem(
    "logto_auth.W046",
    "The last day of the password migration, {until}, has passed. The site checks no passwords any more.",
    "Declare password_migration=False in LOGTO_TENANT, run manage.py logto_setup, and remove "
    "logto_auth.password_migration.urls. If passwords are left, set LOGTO_PASSWORD_MIGRATION_UNTIL to a later day.",
)


def check_password_migration() -> Iterator[CheckMessage]:
    """Check what the endpoint requires of the settings."""
    if not included_url_names(PASSWORD_MIGRATION_URLS):
        return
    yield from (PASSWORD_MIGRATION_INCOMPLETE(missing=part) for part in _missing())
    last_day = _date(conf.password_migration_until)
    if last_day is not None and last_day < date.today():
        yield PASSWORD_MIGRATION_IS_OVER(until=conf.password_migration_until)


def _missing() -> Iterator[str]:
    keys = conf.password_migration_key
    listed = [keys] if isinstance(keys, str) else list(keys)
    if not listed or any(len(key) < MIN_KEY_LENGTH for key in listed):
        yield f"a random text of {MIN_KEY_LENGTH} characters or more in {Conf.password_migration_key.name}"
    if _date(conf.password_migration_until) is None:
        yield f"a date such as 2027-03-31 in {Conf.password_migration_until.name}"
    if not (conf.m2m_app_id and conf.m2m_app_secret):
        yield "LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET, to ask Logto which users have a password there"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None

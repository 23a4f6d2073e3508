"""The settings by which a site uses what is there for it in its tenant."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from logto_auth.conf import conf
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import ApplicationSecret

from .plan import Plan

APP_SECRET = "LOGTO_APP_SECRET"  # noqa: S105 - the name of a setting
SIGNING_KEY = "LOGTO_WEBHOOK_SIGNING_KEY"
SECRETS = frozenset({APP_SECRET, SIGNING_KEY})
ENDLESS = float("inf")


@dataclass(frozen=True)
class SiteSettings:
    """Settings by name, secrets among them; and what about them needs somebody's attention."""

    values: Mapping[str, str] = field(repr=False)
    warnings: Sequence[str] = ()


def site_settings(api: ManagementAPI, plan: Plan) -> SiteSettings:
    """The settings for a tenant to which the plan has been applied."""
    values, warnings = {"LOGTO_ENDPOINT": conf.endpoint}, []
    if plan.application.id is not None:
        values["LOGTO_APP_ID"] = plan.application.id
        secret = usable_secret(api.applications.secrets(plan.application.id))
        if secret is not None:
            values[APP_SECRET] = secret["value"]
        else:
            warnings.append(
                "The application has no app secret that is still good. Make one in the Logto Console, on the "
                "application's page, and set LOGTO_APP_SECRET to it."
            )
    if plan.webhook.id is not None:
        values[SIGNING_KEY] = api.hooks.get(plan.webhook.id)["signingKey"]
    return SiteSettings(values, warnings)


def usable_secret(secrets: Sequence[ApplicationSecret]) -> ApplicationSecret | None:
    """The secret to use: the one that the site has, else the one that lives longest. None when all have expired."""
    live = [secret for secret in secrets if expires_at(secret) > time.time()]
    kept = [secret for secret in live if secret["value"] == conf.app_secret]
    return next(iter(kept), None) or max(live, key=expires_at, default=None)


def expires_at(secret: ApplicationSecret) -> float:
    """When a secret ends, in seconds since the epoch."""
    return ENDLESS if secret["expiresAt"] is None else secret["expiresAt"] / 1000

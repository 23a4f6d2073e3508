"""The settings of a site that follow from its tenant: app ID, app secret and the signing key of the webhook."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from logto_auth.conf import conf
from logto_auth.management_api import ManagementAPI

from .plan import Plan

if TYPE_CHECKING:
    from logto_auth.management_api.types import ApplicationSecret

__all__ = ["SECRET_SETTINGS", "SiteSettings", "secret_expires_at", "site_settings"]

APP_SECRET = "LOGTO_APP_SECRET"  # noqa: S105 - the name of a setting
SIGNING_KEY = "LOGTO_WEBHOOK_SIGNING_KEY"
SECRET_SETTINGS = frozenset({APP_SECRET, SIGNING_KEY})
NEVER = float("inf")


@dataclass(frozen=True)
class SiteSettings:
    """Settings by name, including secrets, and warnings about what is missing."""

    values: Mapping[str, str] = field(repr=False)
    warnings: Sequence[str] = ()


def site_settings(api: ManagementAPI, plan: Plan) -> SiteSettings:
    """Return the settings of the site after `plan` has been applied. Raise ManagementAPIError."""
    values, warnings = {"LOGTO_ENDPOINT": conf.endpoint}, []
    if plan.application.id is not None:
        values["LOGTO_APP_ID"] = plan.application.id
        secret = _usable_secret(api.applications.secrets(plan.application.id))
        if secret is not None:
            values[APP_SECRET] = secret["value"]
        else:
            warnings.append(
                "All app secrets of the application have expired. Create a new one in the Logto Console, on the page "
                "of the application, and set LOGTO_APP_SECRET to it."
            )
    if plan.api_docs.id is not None:
        values["LOGTO_API_DOCS_APP_ID"] = plan.api_docs.id
    if plan.webhook.id is not None:
        values[SIGNING_KEY] = api.hooks.get(plan.webhook.id)["signingKey"]
    return SiteSettings(values, warnings)


def secret_expires_at(secret: ApplicationSecret) -> float:
    """Return when a secret expires, in seconds since the epoch. Infinity if it does not expire."""
    return NEVER if secret["expiresAt"] is None else secret["expiresAt"] / 1000


def _usable_secret(secrets: Sequence[ApplicationSecret]) -> ApplicationSecret | None:
    """Return the secret that the site uses already, or else the one that expires last. None if all have expired."""
    valid = [secret for secret in secrets if secret_expires_at(secret) > time.time()]
    in_use = [secret for secret in valid if secret["value"] == conf.app_secret]
    return next(iter(in_use), None) or max(valid, key=secret_expires_at, default=None)

"""What only the Management API tells: whether the tenant is as declared, ends of secrets, permissions, the webhook."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import Hook
from logto_auth.tenant.declaration import RESERVED_SCOPES
from logto_auth.tenant.plan import Plan, plan
from logto_auth.tenant.settings import expires_at
from logto_auth.tenant.site import out_of_reach, site_tenant
from logto_auth.tenant.webhook import find_webhooks

from .findings import Finding, failure, ok, or_ok, skipped, warning

SOON_SECONDS = 30 * 24 * 3600
DAY_SECONDS = 24 * 3600
ORGANIZATIONS_RESOURCE = "urn:logto:resource:organizations"
SETUP = "manage.py logto_setup"


def examine(base_urls: Sequence[str]) -> Iterator[Finding]:
    """All that the Management API tells; where the site may not ask it, that it was not asked."""
    if note := out_of_reach(base_urls):
        yield warning("reach", note, "Never mind while you develop. A site that people use needs an address for Logto.")
    if not (conf.m2m_app_id and conf.m2m_app_secret):
        yield skipped(
            "management-api",
            "Not looked at without LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET: whether the tenant is as declared, "
            "back-channel logout, names of permissions, ends of secrets, the webhook.",
        )
        return
    try:
        declared = site_tenant(base_urls)
        api = management_api()
        found = plan(api, declared)
    except ConfigurationError as error:
        yield failure("declaration", str(error), "Correct that, then run this again for the rest.")
        return
    except ManagementAPIError as error:
        # The machine may be there for other APIs alone.
        make = warning if error.code == "no_permission" else failure
        yield make("management-api", str(error), "What only the Management API tells was not looked at.")
        return
    yield ok("management-api", f"{api.base_url} lets the application {conf.m2m_app_id} in.")
    yield from or_ok(_drift(found), "declaration", "API resources, permissions, roles and webhook are as declared.")
    if conf.app_id and declared.back_channel_logout_uri:
        yield _back_channel_logout(api, declared.back_channel_logout_uri)
    yield from or_ok(_scopes(api), "scopes", "Logto knows every scope that the settings name.")
    if conf.app_id:
        yield from or_ok(_secret(api), "secret", "LOGTO_APP_SECRET does not end soon.")
    if declared.webhook_url:
        yield from _webhook(api, declared.webhook_url)


# What is declared


def _drift(found: Plan) -> Iterator[Finding]:
    """What `logto_setup` would do, but for the application's addresses, which have been tried."""
    for step in found.changes:
        if step.action == "create":
            yield warning("declaration", f"There is no {step}, which is declared.", SETUP)
        elif step.kind != "application":
            names = ", ".join(difference.name for difference in step.differences)
            yield warning("declaration", f"The {step} differs from what is declared: {names}.", SETUP)


def _back_channel_logout(api: ManagementAPI, uri: str) -> Finding:
    metadata = api.applications.get(conf.app_id)["oidcClientMetadata"]
    there = metadata.get("backchannelLogoutUri", "")
    if there != uri:
        return warning(
            "back-channel-logout",
            f"The back-channel logout URI is {there or 'not set'}, expected {uri}: sign-outs elsewhere are seen at the "
            "next refresh only.",
            SETUP,
        )
    if not metadata.get("backchannelLogoutSessionRequired"):
        return warning(
            "back-channel-logout",
            '"Is session required" is off: Logto does not say which session has ended, so that all of a person\'s end.',
            f"{SETUP}. Sessions that began before have no sid.",
        )
    return ok("back-channel-logout", f"Logto tells {uri} of sign-outs elsewhere.")


def _scopes(api: ManagementAPI) -> Iterator[Finding]:
    resources = cast("Iterator[dict[str, Any]]", api.api_resources.all(includeScopes=True))
    names = {each["indicator"]: {scope["name"] for scope in each["scopes"]} for each in resources}
    names[ORGANIZATIONS_RESOURCE] = {scope["name"] for scope in api.organization_scopes.all()}
    asked = set().union(*(names.get(resource, set()) for resource in conf.resources))
    if unknown := [name for name in conf.scopes if name not in RESERVED_SCOPES | asked]:
        yield warning(
            "scopes",
            f"LOGTO_SCOPES names {', '.join(unknown)}, which none of LOGTO_RESOURCES has: Logto leaves it out without "
            "a word.",
            "Correct the name, declare the permission in LOGTO_TENANT, or name its API resource in LOGTO_RESOURCES.",
        )
    if missing := [name for name in conf.api_scopes if name not in names.get(conf.api_resource, set())]:
        yield warning(
            "scopes",
            f"LOGTO_API_SCOPES names {', '.join(missing)}, which {conf.api_resource} does not have: nobody can get it.",
            f"Correct the name, or declare the permission in LOGTO_TENANT and run {SETUP}.",
        )


def _secret(api: ManagementAPI) -> Iterator[Finding]:
    for secret in api.applications.secrets(conf.app_id):
        left = expires_at(secret) - time.time()
        if hmac.compare_digest(secret["value"].encode(), conf.app_secret.encode()) and 0 < left < SOON_SECONDS:
            yield warning(
                "secret",
                f'LOGTO_APP_SECRET, called "{secret["name"]}" at Logto, ends in {left / DAY_SECONDS:.0f} days.',
                "Make another one in the Logto Console, use that, then delete this one.",
            )


# The webhook


def _webhook(api: ManagementAPI, url: str) -> Iterator[Finding]:
    webhooks = find_webhooks(api, url)
    if not webhooks:
        return  # one that is declared and not there has been told of
    webhook = webhooks[0]
    if len(webhooks) > 1:
        yield warning(
            "webhook",
            f"{len(webhooks)} webhooks call {url}: each event comes as often.",
            "Delete all but one in the Logto Console.",
        )
    yield _signing_key(webhook)
    yield _deliveries(api, webhook)


def _signing_key(webhook: Hook) -> Finding:
    given = conf.webhook_signing_key
    keys = [key for key in ([given] if isinstance(given, str) else given) if key]
    if not keys:
        return failure(
            "webhook",
            "LOGTO_WEBHOOK_SIGNING_KEY is not set: this site refuses every call of the webhook.",
            f"{SETUP} --env-file PATH writes it.",
        )
    if not any(hmac.compare_digest(key.encode(), webhook["signingKey"].encode()) for key in keys):
        here = ", ".join(map(_fingerprint, keys))
        return failure(
            "webhook",
            f"LOGTO_WEBHOOK_SIGNING_KEY is not the webhook's: fingerprint {here} here, "
            f"{_fingerprint(webhook['signingKey'])} at Logto. This site refuses every call.",
            f"{SETUP} --env-file PATH writes the right one.",
        )
    return ok("webhook", f"LOGTO_WEBHOOK_SIGNING_KEY is that of {webhook['config']['url']}.")


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _deliveries(api: ManagementAPI, webhook: Hook) -> Finding:
    stats = cast("dict[str, Any]", api.hooks.get(webhook["id"], includeExecutionStats=True))["executionStats"]
    calls, taken = stats["requestCount"], stats["successCount"]
    latest = next(api.hooks.recent_logs(webhook["id"]), None)
    if latest is not None and latest["payload"].get("result") == "Error":
        return failure(
            "webhook",
            f"The latest call failed, and {taken} of {calls} succeeded: {_cause(latest['payload'])}.",
            "See this site's log; Logto Console, Webhooks, has what it answered. Logto does not try again.",
        )
    if not calls:
        return ok("webhook", "Logto has not called yet.")
    return ok("webhook", f"{taken} of {calls} calls succeeded, the latest among them.")


def _cause(payload: dict[str, Any]) -> str:
    response = payload.get("response")
    status = response.get("statusCode") if isinstance(response, dict) else None
    return f"this site answered {status}" if status else "this site did not answer"

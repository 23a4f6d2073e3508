"""Examine what only the Management API can read: declaration, expiry of secrets, permissions, webhook."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.types import ORGANIZATIONS_RESOURCE
from logto_auth.tenant.declaration import RESERVED_SCOPES
from logto_auth.tenant.plan import Plan, make_plan
from logto_auth.tenant.settings import secret_expires_at
from logto_auth.tenant.site import site_declaration
from logto_auth.tenant.token_exchange import TOKEN_EXCHANGE
from logto_auth.tenant.webhook import find_webhooks

from .account import connector_findings
from .findings import Finding, failure, findings_or_ok, ok, skipped, warning
from .organization_console import console_findings, includes_console, single_sign_on_findings
from .password_migration import password_migration_findings
from .second_factor import script_findings, tenant_findings

if TYPE_CHECKING:
    from logto_auth.management_api.types import Hook

__all__ = ["examine"]

SOON_SECONDS = 30 * 24 * 3600
DAY_SECONDS = 24 * 3600
MAX_BROWSER_TOKEN_SECONDS = 600
SETUP = "manage.py logto_setup"
RUN_SETUP = f"Run {SETUP}."
UNMATCHED_SESSIONS = (
    "ID tokens do not name the session, so sessions here cannot be matched to those at Logto: a change of the password "
    "may leave some open there."
)


def examine(base_urls: Sequence[str]) -> Iterator[Finding]:
    """Yield the findings that need the Management API, or a skipped finding if the site has no access to it."""
    if not (conf.m2m_app_id and conf.m2m_app_secret):
        yield skipped(
            "management-api",
            "Not checked, because LOGTO_M2M_APP_ID or LOGTO_M2M_APP_SECRET is not set: the declaration, back-channel "
            "logout, names of permissions, expiry of secrets, connectors for messages, the webhook"
            f"{', the script for the claim authentication_methods' if conf.second_factor else ''}"
            f"{', the console of organizations' if includes_console() else ''}.",
        )
        return
    try:
        declared = site_declaration(base_urls)
        api = management_api()
        # The script for custom claims has an examination of its own.
        plan = make_plan(api, replace(declared, authentication_methods_claim=False))
    except ConfigurationError as error:
        yield failure("declaration", str(error), "Correct this, then run the command again for the remaining checks.")
        return
    except ManagementAPIError as error:
        # The application may be meant for other APIs only.
        make = warning if error.code == "no_permission" else failure
        yield make(
            "management-api",
            str(error),
            "Correct this, then run the command again for the checks that need the Management API.",
        )
        return
    yield ok("management-api", f"The application {conf.m2m_app_id} has access to {api.base_url}.")
    differences = chain(_differences(plan), single_sign_on_findings(api, declared))
    yield from findings_or_ok(differences, "declaration", "The tenant is as declared.")
    if conf.app_id and declared.back_channel_logout_uri:
        yield _back_channel_logout(api, declared.back_channel_logout_uri)
    yield from findings_or_ok(_scopes(api), "scopes", "All scopes in the settings exist.")
    if conf.browser_tokens:
        yield from findings_or_ok(_browser_tokens(api), "browser-tokens", "Access tokens for scripts are short-lived.")
    if conf.app_id:
        yield from findings_or_ok(_secret(api), "secret", "LOGTO_APP_SECRET does not expire within 30 days.")
    yield from connector_findings(api)
    yield from console_findings(api, declared)
    yield from script_findings(api, declared)
    yield from password_migration_findings(api, declared)
    yield from tenant_findings(api)
    if declared.webhook_url:
        yield from _webhook(api, declared.webhook_url)


# The declaration


def _differences(plan: Plan) -> Iterator[Finding]:
    """Yield what `logto_setup` would change.

    The URIs of the application and token exchange are left out: other examinations have tried them.
    """
    for step in plan.changes:
        if step.kind == TOKEN_EXCHANGE:
            continue
        if step.action == "create":
            yield warning("declaration", f"The {step} is declared, but the tenant does not have it.", RUN_SETUP)
        elif step.kind != "application":
            names = ", ".join(difference.name for difference in step.differences)
            yield warning("declaration", f"The {step} differs from the declaration: {names}.", RUN_SETUP)


def _back_channel_logout(api: ManagementAPI, uri: str) -> Finding:
    metadata = api.applications.get(conf.app_id)["oidcClientMetadata"]
    stored = metadata.get("backchannelLogoutUri", "")
    names_sessions = bool(stored and metadata.get("backchannelLogoutSessionRequired"))
    unmatched = "" if names_sessions else f" {UNMATCHED_SESSIONS}"
    if stored != uri:
        return warning(
            "back-channel-logout",
            f"The back-channel logout URI is {stored or 'not set'}, expected {uri}. A sign-out elsewhere does not end "
            f"sessions here.{unmatched}",
            RUN_SETUP,
        )
    if not metadata.get("backchannelLogoutSessionRequired"):
        return warning(
            "back-channel-logout",
            '"Is session required" is off. Logto does not report which session has ended, so all sessions of the user '
            f"end.{unmatched}",
            f"{RUN_SETUP} Sessions that began earlier have no sid.",
        )
    return ok("back-channel-logout", f"The back-channel logout URI is {uri}.")


def _scopes(api: ManagementAPI) -> Iterator[Finding]:
    resources = api.api_resources.all(includeScopes=True)
    names = {each["indicator"]: {scope["name"] for scope in each["scopes"]} for each in resources}
    names[ORGANIZATIONS_RESOURCE] = {scope["name"] for scope in api.organization_scopes.all()}
    available = set().union(*(names.get(resource, set()) for resource in conf.sign_in_resources))
    if unknown := [name for name in conf.scopes if name not in RESERVED_SCOPES | available]:
        yield warning(
            "scopes",
            f"LOGTO_SCOPES contains {', '.join(unknown)}, which no API resource in LOGTO_RESOURCES has. Logto omits it "
            "without an error.",
            "Correct the name, declare the permission in LOGTO_TENANT, or add its API resource to LOGTO_RESOURCES.",
        )
    yield from _metadata_scopes(names)


def _metadata_scopes(names: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    for resource, scopes in conf.declared_api_resources.items():
        missing = [name for name in scopes if name not in names.get(resource, ())]
        if not missing:
            continue
        is_default = resource == conf.api_resource
        yield warning(
            "scopes",
            f"{'LOGTO_API_SCOPES' if is_default else 'LOGTO_API_RESOURCES'} contains {', '.join(missing)}, which "
            f"{resource} does not have. No token can have it.",
            f"Correct the name, or declare the permission in LOGTO_TENANT and run {SETUP}.",
        )


def _browser_tokens(api: ManagementAPI) -> Iterator[Finding]:
    resources = {each["indicator"]: each for each in api.api_resources.all(includeScopes=True)}
    for resource, scopes in conf.browser_tokens.items():
        stored = resources.get(resource)
        if stored is None:
            yield warning(
                "browser-tokens",
                f"LOGTO_BROWSER_TOKENS names {resource}, which the tenant does not have.",
                f"Correct the indicator, or declare the API resource in LOGTO_TENANT and run {SETUP}.",
            )
            continue
        if unknown := sorted({*scopes}.difference(scope["name"] for scope in stored["scopes"])):
            yield warning(
                "browser-tokens",
                f"LOGTO_BROWSER_TOKENS lists {', '.join(unknown)}, which {resource} does not have.",
                f"Correct the name, or declare the permission in LOGTO_TENANT and run {SETUP}.",
            )
        if (seconds := stored["accessTokenTtl"]) > MAX_BROWSER_TOKEN_SECONDS:
            yield warning(
                "browser-tokens",
                f"Access tokens for {resource} are valid for {seconds} seconds. A script has them, and a stolen one "
                "works for so long, also after the user has signed out.",
                f"Declare access_token_ttl_seconds={MAX_BROWSER_TOKEN_SECONDS} of this API resource in LOGTO_TENANT "
                f"and run {SETUP}, or change it in the Logto Console.",
            )


def _secret(api: ManagementAPI) -> Iterator[Finding]:
    for secret in api.applications.secrets(conf.app_id):
        left = secret_expires_at(secret) - time.time()
        if hmac.compare_digest(secret["value"].encode(), conf.app_secret.encode()) and 0 < left < SOON_SECONDS:
            yield warning(
                "secret",
                f'LOGTO_APP_SECRET expires in {left / DAY_SECONDS:.0f} days. Its name in Logto is "{secret["name"]}".',
                "Create another app secret in the Logto Console, set LOGTO_APP_SECRET to it, then delete this one.",
            )


# The webhook


def _webhook(api: ManagementAPI, url: str) -> Iterator[Finding]:
    webhooks = find_webhooks(api, url)
    if not webhooks:
        return  # `_differences` reports a missing webhook
    webhook = webhooks[0]
    if len(webhooks) > 1:
        yield warning(
            "webhook",
            f"{len(webhooks)} webhooks call {url}, so each event arrives {len(webhooks)} times.",
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
            "LOGTO_WEBHOOK_SIGNING_KEY is not set, so this site rejects every webhook.",
            f"{SETUP} --env-file PATH writes it.",
        )
    if not any(hmac.compare_digest(key.encode(), webhook["signingKey"].encode()) for key in keys):
        here = ", ".join(map(_fingerprint, keys))
        return failure(
            "webhook",
            f"LOGTO_WEBHOOK_SIGNING_KEY is not the key of the webhook, so this site rejects every webhook. Fingerprint "
            f"here: {here}, in Logto: {_fingerprint(webhook['signingKey'])}.",
            f"{SETUP} --env-file PATH writes the correct key.",
        )
    return ok("webhook", f"LOGTO_WEBHOOK_SIGNING_KEY is the key of {webhook['config']['url']}.")


def _fingerprint(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:8]


def _deliveries(api: ManagementAPI, webhook: Hook) -> Finding:
    stats = api.hooks.get(webhook["id"], includeExecutionStats=True)["executionStats"]
    calls, succeeded = stats["requestCount"], stats["successCount"]
    latest = next(api.hooks.recent_logs(webhook["id"]), None)
    if latest is not None and latest["payload"].get("result") == "Error":
        return failure(
            "webhook",
            f"The latest call failed, because {_cause(latest['payload'])}. {succeeded} of {calls} calls succeeded.",
            "Check the log of this site, and its answer in the Logto Console under Webhooks. Logto repeats no calls.",
        )
    if not calls:
        return ok("webhook", "Logto has not called the webhook yet.")
    return ok("webhook", f"{succeeded} of {calls} calls succeeded, including the latest one.")


def _cause(payload: Mapping[str, Any]) -> str:
    response = payload.get("response")
    status = response.get("statusCode") if isinstance(response, dict) else None
    return f"this site answered {status}" if status else "this site did not answer"

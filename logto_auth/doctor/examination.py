"""Run all examinations in order, and skip those that cannot give a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from logto_auth.conf import conf
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.types import ProviderMetadata
from logto_auth.tenant.cloud import cloud_tenant
from logto_auth.tenant.site import back_channel_logout_uri, unreachable_warning

from . import account, addresses, second_factor, site, tenant
from .declared import readable_declaration
from .findings import Finding, errors_as_failures, findings_or_ok, skipped, warning
from .logto import LogtoExamination
from .logto_version import read_answers, version_findings
from .outbound_guard import dynamic_client_findings, outbound_guard_findings
from .sign_in import SignInExamination
from .token_exchange import token_exchange_findings
from .versions import LogtoVersion, deduce, has_dynamic_app

__all__ = ["examine"]

WRONG_TYPE = "logto_auth.E001"
# After any of these errors, Logto cannot be called.
NO_LOGTO = frozenset(f"logto_auth.{number}" for number in ("E002", "E006", "E007", "E013", "E036", "E037"))


def examine(
    base_urls: Sequence[str], *, deploy: bool = False, accepts_api_keys: Callable[[], bool] = lambda: False
) -> Iterator[Finding]:
    """Yield all findings about the site, which is served at `base_urls`.

    `deploy` includes the system checks for deployment. `accepts_api_keys` returns whether a view accepts API keys.
    """
    ids: set[str | None] = set()
    yield from findings_or_ok(_settings(ids, deploy=deploy), "settings", "The system checks found no problems.")
    if WRONG_TYPE in ids:
        yield skipped("site", "The other examinations were skipped. Correct the types of the settings first.")
        return
    yield from errors_as_failures(site.examine(base_urls), "site")
    if ids & NO_LOGTO or not conf.endpoint:
        yield skipped("logto", "Logto was not called. Correct the settings first.")
        return
    yield from errors_as_failures(_examine_logto(base_urls, accepts_api_keys=accepts_api_keys), "logto")


def _settings(ids: set[str | None], *, deploy: bool) -> Iterator[Finding]:
    """Yield the messages of the system checks as findings, and add their ids to `ids`."""
    for message in site.system_messages(deploy=deploy):
        ids.add(message.id)
        yield site.finding_from(message)


def _examine_logto(base_urls: Sequence[str], *, accepts_api_keys: Callable[[], bool]) -> Iterator[Finding]:
    connect_seconds, total_seconds = conf.http_timeout_seconds
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    logto_addresses = Addresses(conf.issuer, conf.internal_endpoint)
    logto = LogtoExamination(http, logto_addresses)
    yield from errors_as_failures(addresses.examine(http, logto_addresses), "addresses")
    yield from errors_as_failures(logto.examine(), "discovery")
    if logto.metadata is None:
        yield skipped("sign-in", "No sign-in was tried, because there is no valid discovery document.")
        return
    version = deduce(read_answers(http, logto_addresses, logto.discovery))
    yield from version_findings(version)
    if conf.app_id and conf.app_secret:
        yield from errors_as_failures(_examine_sign_in(http, logto.metadata, logto_addresses, base_urls), "sign-in")
    else:
        yield skipped("sign-in", "No sign-in was tried, because LOGTO_APP_ID or LOGTO_APP_SECRET is not set.")
    yield from errors_as_failures(token_exchange_findings(accepts_api_keys=accepts_api_keys), "token-exchange")
    yield from errors_as_failures(
        _examine_calls_of_logto(base_urls, version, has_dynamic_app(logto.discovery)), "reach"
    )
    yield from errors_as_failures(account.examine(http, logto_addresses, base_urls), "account-center")
    yield from errors_as_failures(second_factor.examine(http, logto_addresses), "mfa")
    yield from errors_as_failures(tenant.examine(base_urls), "management-api")


def _examine_calls_of_logto(base_urls: Sequence[str], version: LogtoVersion, is_guard_on: bool) -> Iterator[Finding]:
    dynamic_clients = readable_declaration().dynamic_clients
    is_needed = dynamic_clients is not None and dynamic_clients.enabled
    if text := unreachable_warning(base_urls):
        remedy = "On a development machine, ignore this. In production, serve the site at a URL that Logto can call."
        yield warning("reach", text, remedy)
    elif uri := back_channel_logout_uri(base_urls):
        yield from outbound_guard_findings(
            uri, version, is_on=is_guard_on, is_needed=is_needed, is_cloud=bool(cloud_tenant(conf))
        )
    if is_needed:
        # Only with the guard does discovery name them.
        yield from dynamic_client_findings(version, are_on=is_guard_on)


def _examine_sign_in(
    http: HTTPClient, metadata: ProviderMetadata, logto_addresses: Addresses, base_urls: Sequence[str]
) -> Iterator[Finding]:
    # The redirect URIs come from the URLconf, which may be broken.
    yield from SignInExamination(http, metadata, logto_addresses, base_urls).examine()

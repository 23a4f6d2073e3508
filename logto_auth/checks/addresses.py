"""Checks of the settings that are addresses: of Logto, of the site, and the tenant of Logto Cloud that they name."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.core.checks import CheckMessage

from logto_auth.conf import Conf, Setting
from logto_auth.management_api.transport import resource_indicator
from logto_auth.origins import ascii_form, ascii_hint, is_loopback, is_origin, is_private
from logto_auth.tenant.cloud import cloud_resource, named_tenants, tenant_id_of

from .lenient_conf import conf
from .placeholders import is_placeholder
from .problem import Problem

ENDPOINT_NOT_ORIGIN = Problem(
    "logto_auth.E006",
    "LOGTO_ENDPOINT is {value}, not an origin without a path.",
    "Expected an origin such as https://abc123.logto.app.",
)
ENDPOINT_UNENCRYPTED = Problem(
    "logto_auth.E007",
    "LOGTO_ENDPOINT is {value}: tokens would cross the internet unencrypted.",
    "Use https. Plain http is only for Logto on this machine or in a private network.",
)
BASE_URL_NOT_ORIGIN = Problem(
    "logto_auth.E008", "{setting} is {value}.", "Expected an origin without a path: {example}."
)
CONSOLE_URL_INVALID = Problem(
    "logto_auth.E024", "LOGTO_CONSOLE_URL is {value}.", "Expected a URL that begins with https:// or http://."
)
FORMER_ENDPOINT_INVALID = Problem(
    "logto_auth.E031",
    "LOGTO_FORMER_ENDPOINTS contains {value}.",
    "Expected the origin that LOGTO_ENDPOINT was before, such as https://abc123.logto.app.",
)
NEXT_ORIGIN_INVALID = Problem(
    "logto_auth.E032",
    "LOGTO_NEXT_ORIGINS contains {value}.",
    "Expected an origin without a path or a wildcard: https://app.shop.example. Plain http is only for this machine.",
)
INTERNAL_ENDPOINT_NOT_ORIGIN = Problem(
    "logto_auth.E036",
    "LOGTO_INTERNAL_ENDPOINT is {value}, not an origin without a path.",
    "Expected an origin such as http://logto:3001.",
)
INTERNAL_ENDPOINT_UNENCRYPTED = Problem(
    "logto_auth.E037",
    "LOGTO_INTERNAL_ENDPOINT is {value}: app secrets and tokens would cross the internet unencrypted.",
    "Use https, or the name or IP address that Logto has in the private network.",
)
WRONG_CLOUD_RESOURCE = Problem(
    "logto_auth.W020",
    "The indicator of the Management API is {resource}, but {setting} names the tenant {tenant} of Logto Cloud.",
    "Set LOGTO_MANAGEMENT_API_RESOURCE to {expected}. With another indicator, Logto answers invalid_target.",
)
INTERNAL_ENDPOINT_OF_CLOUD = Problem(
    "logto_auth.W021",
    "LOGTO_INTERNAL_ENDPOINT is {value}, and LOGTO_ENDPOINT is {endpoint}. Logto Cloud has another issuer at each.",
    "Remove LOGTO_INTERNAL_ENDPOINT. It is only for a Logto that you run yourself.",
)


def check_addresses() -> Iterator[CheckMessage]:
    """Yield the problems of all addresses in the settings."""
    yield from _check_server(Conf.endpoint, ENDPOINT_NOT_ORIGIN, ENDPOINT_UNENCRYPTED)
    yield from _check_server(Conf.internal_endpoint, INTERNAL_ENDPOINT_NOT_ORIGIN, INTERNAL_ENDPOINT_UNENCRYPTED)
    for setting in (Conf.base_url, Conf.internal_base_url):
        url = conf.value_of(setting)
        if url and not is_origin(url):
            yield BASE_URL_NOT_ORIGIN(
                setting=setting.name, value=shown(url), example=setting.example, hint=ascii_hint(url)
            )
    for url in conf.former_endpoints:
        if not is_origin(url) or url.rstrip("/") == conf.endpoint.rstrip("/"):
            yield FORMER_ENDPOINT_INVALID(value=shown(url), hint=ascii_hint(url))
    for url in conf.next_origins:
        if not is_origin(url) or "*" in url or (urlsplit(url).scheme == "http" and not is_loopback(url)):
            yield NEXT_ORIGIN_INVALID(value=shown(url), hint=ascii_hint(url))
    if conf.console_url and not conf.console_url.startswith(("http://", "https://")):
        yield CONSOLE_URL_INVALID(value=shown(conf.console_url))
    yield from _check_cloud()


def _check_server(setting: Setting[str], not_origin: Problem, unencrypted: Problem) -> Iterator[CheckMessage]:
    """Yield the problem of an address to which app secrets and tokens are sent."""
    url = conf.value_of(setting)
    if not url or is_placeholder(url):
        return
    if not is_origin(url):
        without_path = (ascii_form(url) or url).rstrip("/").removesuffix("/oidc")
        yield not_origin(value=shown(url), hint=f"Set it to {without_path!r}." if is_origin(without_path) else "")
    elif urlsplit(url).scheme == "http" and not is_private(url):
        yield unencrypted(value=shown(url))


def _check_cloud() -> Iterator[CheckMessage]:
    if not is_origin(conf.endpoint):
        return
    uses_management_api = conf.m2m_app_id or conf.management_api_resource
    resource = conf.management_api_resource or resource_indicator(conf.endpoint)
    for setting, tenant in named_tenants(conf):
        if uses_management_api and resource != cloud_resource(tenant):
            yield WRONG_CLOUD_RESOURCE(
                resource=resource, setting=setting, tenant=tenant, expected=cloud_resource(tenant)
            )
            break
    if conf.internal_endpoint.rstrip("/") not in ("", conf.endpoint.rstrip("/")) and (
        tenant_id_of(conf.endpoint) or tenant_id_of(conf.internal_endpoint)
    ):
        yield INTERNAL_ENDPOINT_OF_CLOUD(value=shown(conf.internal_endpoint), endpoint=shown(conf.endpoint))


def shown(url: str) -> str:
    """Return a URL for a message. The part before an @ may be a password."""
    return "a URL with an @" if "@" in url else repr(url)

"""Examine the addresses of Logto and of this site, where browsers and servers use different ones."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant.cloud import cloud_tenant, tenant_id_of

from .findings import Finding, failure, ok

__all__ = ["examine"]


def examine(http: HTTPClient, addresses: Addresses) -> Iterator[Finding]:
    """Yield the findings about the two addresses of Logto, the internal one of the site, and the cloud tenant.

    Whether this server reaches the public address of Logto is only information: it sends no requests there.
    """
    if addresses.is_split:
        yield _two_addresses(addresses)
        yield _public_address(http, addresses)
    if conf.internal_base_url:
        yield from _internal_base_url(conf.internal_base_url)
    if tenant := cloud_tenant(conf):
        yield _cloud(tenant)


def _two_addresses(addresses: Addresses) -> Finding:
    how = "without encryption" if addresses.internal_endpoint.startswith("http:") else "encrypted"
    return ok(
        "addresses",
        f"Browsers open Logto at {addresses.public_endpoint}. This server sends its requests to "
        f"{addresses.internal_endpoint}, {how}.",
    )


def _public_address(http: HTTPClient, addresses: Addresses) -> Finding:
    try:
        status = http.get_allowing_redirect(f"{addresses.issuer}/.well-known/openid-configuration").status
        result = f"answers this server with status {status}"
    except ProviderError:
        result = "does not answer this server"
    return ok("addresses", f"{addresses.public_endpoint} {result}. Only browsers have to reach it.")


def _internal_base_url(url: str) -> Iterator[Finding]:
    host = urlsplit(url).hostname or ""
    shown = f"[{host}]" if ":" in host else host
    if not validate_host(shown, settings.ALLOWED_HOSTS):
        yield failure(
            "internal-base-url",
            f"{shown} is not in ALLOWED_HOSTS, so Django refuses the webhooks and the back-channel logout of Logto.",
            "Add it to ALLOWED_HOSTS. A name with an underscore is never valid: rename the service.",
        )
    elif urlsplit(url).scheme == "http" and settings.SECURE_SSL_REDIRECT and not settings.SECURE_REDIRECT_EXEMPT:
        yield failure(
            "internal-base-url",
            f"LOGTO_INTERNAL_BASE_URL is {url}, and SECURE_SSL_REDIRECT is True. Logto follows no redirect to https.",
            "Add the paths of the webhook and of the back-channel logout to SECURE_REDIRECT_EXEMPT.",
        )
    else:
        yield ok("internal-base-url", f"Logto calls this site at {url}.")


def _cloud(tenant: str) -> Finding:
    where = "" if tenant_id_of(conf.endpoint) else ", at its custom domain"
    return ok("cloud", f"This is the tenant {tenant} of Logto Cloud{where}. It accepts 200 requests in 10 seconds.")

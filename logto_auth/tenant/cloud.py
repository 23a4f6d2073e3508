"""Logto Cloud: which of its tenants the settings name, and what follows from it.

Each tenant has a domain `<tenant ID>.logto.app`, also if it has custom domains. The indicator of its Management API
and its pages in the Console are built from the tenant ID. Source: https://docs.logto.io/logto-cloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from logto_auth.conf import Conf
from logto_auth.management_api.transport import CLOUD_DOMAIN, OPEN_SOURCE_RESOURCE

__all__ = ["cloud_console", "cloud_resource", "cloud_tenant", "named_tenants", "tenant_id_of"]

CONSOLE = "https://cloud.logto.io"


def tenant_id_of(url: str) -> str:
    """Return the ID of the tenant whose domain `url` has. Empty for all other URLs."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    is_cloud = host.endswith(CLOUD_DOMAIN) and host != urlsplit(OPEN_SOURCE_RESOURCE).hostname
    return host.removesuffix(CLOUD_DOMAIN) if is_cloud else ""


def named_tenants(conf: Conf) -> Iterator[tuple[str, str]]:
    """Yield the name of each setting that names a cloud tenant, and the tenant ID.

    `LOGTO_MANAGEMENT_API_RESOURCE` is left out.
    """
    if tenant := tenant_id_of(conf.endpoint):
        yield Conf.endpoint.name, tenant
    if tenant := _tenant_id_in_console(conf.console_url):
        yield Conf.console_url.name, tenant
    for endpoint in conf.former_endpoints:
        if tenant := tenant_id_of(endpoint):
            yield Conf.former_endpoints.name, tenant


def cloud_tenant(conf: Conf) -> str:
    """Return the ID of the cloud tenant that the settings name. Empty if they name none."""
    return tenant_id_of(conf.management_api_resource) or next((tenant for _, tenant in named_tenants(conf)), "")


def cloud_resource(tenant_id: str) -> str:
    """Return the indicator of the Management API of a cloud tenant."""
    return f"https://{tenant_id}{CLOUD_DOMAIN}/api"


def cloud_console(conf: Conf) -> str:
    """Return the URL of the Console of the cloud tenant that the settings name. Empty if they name none."""
    tenant = cloud_tenant(conf)
    return f"{CONSOLE}/{tenant}" if tenant else ""


def _tenant_id_in_console(url: str) -> str:
    return url.removeprefix(f"{CONSOLE}/").partition("/")[0] if url.startswith(f"{CONSOLE}/") else ""

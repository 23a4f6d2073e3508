"""Whether Logto's outbound guard lets back-channel logouts through to the site, and dynamic clients be on.

Since 1.42, Logto's OIDC engine closes connections to loopback, private and other special addresses. The
sign-out at Logto succeeds, and neither the browser nor Logto's log shows an error. Webhooks are not affected.

The guard looks at the address to which Logto connects. The doctor sees the address to which the name resolves on its
own machine, and cannot see whether the guard is switched off.

Dynamic clients (CIMD) need the guard. So a Logto has them, or back-channel logouts to private addresses, and not both.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterator
from urllib.parse import urlsplit

from logto_auth.origins import is_public_address, is_public_host
from logto_auth.tenant.dynamic_clients import DYNAMIC_CLIENTS
from logto_auth.tenant.site import OUTBOUND_GUARD_OFF

from .findings import Finding, ok, skipped, warning
from .versions import LogtoVersion, Version

__all__ = ["addresses_of", "dynamic_client_findings", "outbound_guard_findings"]


def addresses_of(host: str) -> Collection[str]:
    """Return the addresses of a host, as this machine resolves it. Empty if it does not."""
    try:
        return {str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return set()


def outbound_guard_findings(
    uri: str,
    version: LogtoVersion,
    *,
    is_on: bool = False,
    is_needed: bool = False,
    is_cloud: bool = False,
    resolve: Callable[[str], Collection[str]] = addresses_of,
) -> Iterator[Finding]:
    """Yield whether a Logto of this version calls the back-channel logout URI.

    `is_on` means that the guard is on for certain, and `is_needed` that the site declares dynamic clients.
    """
    host = urlsplit(uri).hostname or ""
    if not version.may_be(Version.V1_42):
        yield ok("outbound-guard", f"Logto {version} has no outbound guard. It calls {host}.")
        return
    addresses = resolve(host)
    private = sorted(each for each in addresses if not is_public_address(each))
    if private or not is_public_host(host):
        yield _blocked(host, private, version, is_on=is_on, is_needed=is_needed, is_cloud=is_cloud)
    elif addresses:
        yield ok(
            "outbound-guard",
            f"{host} has a public address, as seen from this machine. If it has a private one as seen from Logto, "
            "Logto 1.42 and newer drops back-channel logouts.",
        )
    else:
        yield skipped(
            "outbound-guard",
            f"This machine cannot resolve {host}. If it has a private address as seen from Logto, Logto 1.42 and newer "
            "drops back-channel logouts.",
        )


def dynamic_client_findings(version: LogtoVersion, *, are_on: bool) -> Iterator[Finding]:
    """Yield whether Logto accepts the dynamic clients that the site declares. `are_on` is what discovery says.

    A Logto that has none is reported with the declaration.
    """
    if are_on:
        yield ok("dynamic-clients", f"Logto accepts {DYNAMIC_CLIENTS}.")
    elif version.may_be(Version.HEAD):
        yield warning(
            "dynamic-clients",
            f"The declaration has {DYNAMIC_CLIENTS}, and the discovery document does not name them.",
            f"Run manage.py logto_setup. If Logto runs with {OUTBOUND_GUARD_OFF}, it turns them off, whatever the "
            "tenant says: remove the variable and start it again, or declare each client in third_party_applications.",
        )


def _blocked(
    host: str, private: list[str], version: LogtoVersion, *, is_on: bool, is_needed: bool, is_cloud: bool
) -> Finding:
    seen = f", which is {', '.join(private)} as seen from this machine," if private and private != [host] else ""
    who = "Logto" if version.is_at_least(Version.V1_42) else "If it is 1.42 or newer, Logto"
    if is_cloud:
        unless, remedy = "", "Logto Cloud calls public addresses only. Serve the site at a public address."
    elif is_on:
        unless = ". Its outbound guard is on, because the dynamic app (CIMD) requires it"
        remedy = "Serve the site at an address that is public as seen from Logto, or turn the dynamic app off."
    elif is_needed:
        unless = f" unless it runs with {OUTBOUND_GUARD_OFF}, and then it has none of the declared {DYNAMIC_CLIENTS}"
        remedy = (
            "Serve the site at an address that is public as seen from Logto. Or set that variable, and declare each "
            "client in third_party_applications instead."
        )
    else:
        unless = f" unless it runs with {OUTBOUND_GUARD_OFF}. The doctor cannot see whether it does"
        remedy = (
            f"If Logto may call private addresses, set {OUTBOUND_GUARD_OFF} in its environment and start it "
            "again. Or serve the site at an address that is public as seen from Logto."
        )
        if version.may_be(Version.HEAD):
            remedy += f" With the variable, Logto has no {DYNAMIC_CLIENTS}."
    return warning(
        "outbound-guard",
        f"{who} sends no back-channel logout to {host}{seen}{unless}. Without this call, a sign-out elsewhere "
        "does not end sessions here. Logto reports no error. Webhooks are not affected.",
        remedy,
    )

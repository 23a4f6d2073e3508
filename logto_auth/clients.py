"""Where settings and protocol meet: the OIDC client, built from `conf`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .conf import conf
from .exceptions import ConfigurationError
from .oidc.client import OIDCClient
from .oidc.http import HTTPClient


def oidc_client() -> OIDCClient:
    """The client for the settings of this moment; the same one, with what it has cached, while they stay the same.

    Raises ConfigurationError naming the settings that are missing.
    """
    required = {"LOGTO_ENDPOINT": conf.endpoint, "LOGTO_APP_ID": conf.app_id, "LOGTO_APP_SECRET": conf.app_secret}
    missing = [name for name, value in required.items() if not value]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} must be set; `manage.py check` says what belongs there.")
    return _build(
        conf.issuer,
        conf.app_id,
        conf.app_secret,
        tuple(conf.signing_algorithms),
        conf.clock_skew_seconds,
        tuple(conf.http_timeout_seconds),
    )


# Keyed by the values themselves: a changed setting is another client, and nothing has to be reset.
@lru_cache(maxsize=16)
def _build(
    issuer: str,
    client_id: str,
    client_secret: str,
    algorithms: Sequence[str],
    leeway_seconds: int,
    timeouts: Sequence[float],
) -> OIDCClient:
    connect_seconds, total_seconds = timeouts
    return OIDCClient(
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        algorithms=algorithms,
        leeway_seconds=leeway_seconds,
        http=HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds),
    )


def forget_clients() -> None:
    """Drop all clients and what they have cached, as a new process would. For tests."""
    _build.cache_clear()

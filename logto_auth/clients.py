"""Where settings and protocol meet: what speaks with Logto, built from `conf`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .conf import Setting, conf
from .exceptions import ConfigurationError
from .management_api import ManagementAPI
from .oidc.access_tokens import AccessTokenVerifier
from .oidc.client import OIDCClient
from .oidc.client_credentials import MachineClient
from .oidc.http import HTTPClient
from .oidc.provider import Provider

# A hundred people with custom data, or all connectors with their logos.
MAX_MANAGEMENT_API_BYTES = 32 * 1024 * 1024
MAKE_A_MACHINE = (
    'Make an application in the Logto Console, under Applications, of the kind "Machine-to-machine", and take its '
    'App ID and app secret. To use the Management API it needs the role "Logto Management API access".'
)


def oidc_client() -> OIDCClient:
    """The client for the settings of this moment; the same one, with what it has cached, while they stay the same.

    Raises ConfigurationError naming the settings that are missing.
    """
    _demand(type(conf).endpoint, type(conf).app_id, type(conf).app_secret)
    return _oidc_client(provider(), conf.app_id, conf.app_secret, conf.clock_skew_seconds)


def machine_client() -> MachineClient:
    """The site's machine-to-machine application, for calls in nobody's name. Raises ConfigurationError."""
    _demand(type(conf).endpoint, type(conf).m2m_app_id, type(conf).m2m_app_secret, remedy=MAKE_A_MACHINE)
    return _machine_client(provider(), conf.m2m_app_id, conf.m2m_app_secret)


def access_token_verifier() -> AccessTokenVerifier:
    """What verifies the access tokens that come to this site's APIs. Raises ConfigurationError."""
    _demand(type(conf).endpoint)
    return _access_token_verifier(provider(), conf.clock_skew_seconds, conf.api_token_cache_size)


def management_api() -> ManagementAPI:
    """Logto's Management API, by the same application; it needs a role that may use it. Raises ConfigurationError."""
    return _management_api(
        machine_client(), conf.endpoint, conf.management_api_resource, tuple(conf.http_timeout_seconds)
    )


def provider() -> Provider:
    """The Logto that all of the above share, with the keys that it has been asked for once."""
    return _provider(conf.issuer, tuple(conf.signing_algorithms), tuple(conf.http_timeout_seconds))


def _demand(*settings: Setting[str], remedy: str = "`manage.py check` says what belongs there.") -> None:
    missing = [setting.name for setting in settings if not setting.__get__(conf, type(conf))]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} must be set. {remedy}")


# Keyed by the values themselves: a changed setting is another client, and nothing has to be reset.
@lru_cache(maxsize=16)
def _provider(issuer: str, algorithms: Sequence[str], timeouts: Sequence[float]) -> Provider:
    connect_seconds, total_seconds = timeouts
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    return Provider(issuer=issuer, algorithms=algorithms, http=http)


@lru_cache(maxsize=16)
def _oidc_client(provider: Provider, client_id: str, client_secret: str, leeway_seconds: int) -> OIDCClient:
    return OIDCClient(provider, client_id=client_id, client_secret=client_secret, leeway_seconds=leeway_seconds)


@lru_cache(maxsize=16)
def _machine_client(provider: Provider, client_id: str, client_secret: str) -> MachineClient:
    return MachineClient(provider, client_id=client_id, client_secret=client_secret)


@lru_cache(maxsize=16)
def _management_api(machine: MachineClient, endpoint: str, resource: str, timeouts: Sequence[float]) -> ManagementAPI:
    connect_seconds, total_seconds = timeouts
    http = HTTPClient(
        connect_seconds=connect_seconds, total_seconds=total_seconds, max_body_bytes=MAX_MANAGEMENT_API_BYTES
    )
    return ManagementAPI(endpoint=endpoint, machine=machine, http=http, resource=resource)


@lru_cache(maxsize=16)
def _access_token_verifier(provider: Provider, leeway_seconds: int, cache_size: int) -> AccessTokenVerifier:
    return AccessTokenVerifier(
        issuer=provider.issuer,
        keys=provider.keys,
        algorithms=provider.algorithms,
        leeway_seconds=leeway_seconds,
        cache_size=cache_size,
    )


def reset_clients() -> None:
    """Drop all clients and what they have cached, as a new process would. For tests."""
    for build in (_provider, _oidc_client, _machine_client, _management_api, _access_token_verifier):
        build.cache_clear()

"""The clients that send requests to Logto, built from the settings.

The protocol layer knows neither settings nor Django. This module passes the settings to it, and its clients raise
`TokenError` and `CallbackError` of `logto_auth.exceptions` in place of the plain ones of `logto_auth.oidc`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.views.decorators.debug import sensitive_variables

from . import exceptions
from .account_api import AccountAPI
from .account_api.shapes import Unfit, fitting, required_keys
from .account_api.types import AccountCenter, SignInExperience
from .conf import Conf, Setting, conf
from .exceptions import ConfigurationError
from .management_api import ManagementAPI
from .management_api.transport import MAX_TRIES, resource_indicator
from .oidc.access_tokens import AccessTokenVerifier
from .oidc.client import OIDCClient
from .oidc.client_credentials import MachineClient
from .oidc.errors import CallbackError, ProviderError, TokenError
from .oidc.http import HTTPClient
from .oidc.provider import Provider
from .oidc.secrets import Secret
from .oidc.token_exchange import REVOCATION_SECONDS, TokenExchange
from .origins import is_origin
from .site_cache import cached, known

__all__ = [
    "access_token_verifier",
    "account_api",
    "account_center",
    "machine_client",
    "management_api",
    "oidc_client",
    "provider",
    "reset_clients",
    "sign_in_experience",
    "token_exchange",
]

# A page of a hundred users with custom data, or all connectors with their logos, has several megabytes.
_MAX_MANAGEMENT_API_BYTES = 32 * 1024 * 1024
# How long a change in Logto's Console may take to show on the account pages.
_WELL_KNOWN_SECONDS = 60
# Their kind in the cache.
_WELL_KNOWN = "well_known"
_CREATE_MACHINE_APPLICATION = (
    'Create an application of the type "Machine-to-machine" in the Logto Console, under Applications, and copy its '
    'App ID and App secret. To use the Management API it needs the role "Logto Management API access".'
)
_CREDENTIALS_HINT = "Check LOGTO_APP_ID, LOGTO_APP_SECRET and that the application is of the type Traditional Web."
_MACHINE_CREDENTIALS_HINT = (
    "Check LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET and that the application is of the type Machine-to-machine."
)
_RESOURCE_HINT = (
    "Check LOGTO_MANAGEMENT_API_RESOURCE. A tenant of Logto Cloud with a custom domain needs "
    "https://<tenant ID>.logto.app/api, and a Logto that you run yourself needs no value."
)

P = ParamSpec("P")
R = TypeVar("R")


def django_errors(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function of the protocol layer: its TokenError and CallbackError become those of this package.

    Those are also a SuspiciousOperation, so that Django answers 400 when a view does not catch them.
    """

    @wraps(function)
    @sensitive_variables()
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (exceptions.TokenError, exceptions.CallbackError):
            raise
        except TokenError as error:
            raise exceptions.TokenError(str(error), claim=error.claim) from error
        except CallbackError as error:
            raise exceptions.CallbackError(str(error), code=error.code, status=error.status) from error

    return wrapper


class _DjangoOIDCClient(OIDCClient):
    """An OIDCClient with the errors of this package."""

    authorization_code = django_errors(OIDCClient.authorization_code)
    exchange_code = django_errors(OIDCClient.exchange_code)
    refresh = django_errors(OIDCClient.refresh)
    validate_id_token = django_errors(OIDCClient.validate_id_token)
    validate_access_token = django_errors(OIDCClient.validate_access_token)
    validate_logout_token = django_errors(OIDCClient.validate_logout_token)
    userinfo = django_errors(OIDCClient.userinfo)
    introspect = django_errors(OIDCClient.introspect)
    revoke = django_errors(OIDCClient.revoke)
    end_session_url = django_errors(OIDCClient.end_session_url)


class _DjangoAccessTokenVerifier(AccessTokenVerifier):
    """An AccessTokenVerifier with the errors of this package."""

    verify_for_resource = django_errors(AccessTokenVerifier.verify_for_resource)
    verify_for_organization = django_errors(AccessTokenVerifier.verify_for_organization)


class _DjangoMachineClient(MachineClient):
    """A MachineClient with the errors of this package."""

    token = django_errors(MachineClient.token)
    forget = django_errors(MachineClient.forget)


class _DjangoTokenExchange(TokenExchange):
    """A TokenExchange with the errors of this package."""

    exchange_subject_token = django_errors(TokenExchange.exchange_subject_token)
    exchange_personal_access_token = django_errors(TokenExchange.exchange_personal_access_token)
    exchange_access_token = django_errors(TokenExchange.exchange_access_token)
    forget = django_errors(TokenExchange.forget)


def oidc_client() -> OIDCClient:
    """Return the OIDC client for the current settings: the same object until a setting changes.

    Raise ConfigurationError naming the settings that are missing. The methods of the client raise TokenError,
    CallbackError and ProviderError of `logto_auth.exceptions`.
    """
    _require(Conf.endpoint, Conf.app_id, Conf.app_secret)
    return _oidc_client(provider(), conf.app_id, Secret(conf.app_secret), conf.clock_skew_seconds)


def machine_client() -> MachineClient:
    """Return the client of the machine-to-machine application, for requests without a user.

    Raise ConfigurationError naming the settings that are missing.
    """
    _require(Conf.endpoint, Conf.m2m_app_id, Conf.m2m_app_secret, remedy=_CREATE_MACHINE_APPLICATION)
    return _machine_client(provider(), conf.m2m_app_id, Secret(conf.m2m_app_secret))


def token_exchange(*, revocation_seconds: float = REVOCATION_SECONDS) -> TokenExchange:
    """Return the client that exchanges tokens for access tokens: see `docs/reference/token-exchange.md`.

    It acts as the application `LOGTO_APP_ID`, or as `LOGTO_M2M_APP_ID` on a site without `LOGTO_APP_ID`, such as an API
    alone. The application needs "Allow token exchange" at Logto. `revocation_seconds` is for how long the result for a
    token that Logto can revoke is kept. Raise ConfigurationError naming the settings that are missing.
    """
    if conf.m2m_app_id and not conf.app_id:
        _require(Conf.endpoint, Conf.m2m_app_secret)
        application = conf.m2m_app_id, Secret(conf.m2m_app_secret), _MACHINE_CREDENTIALS_HINT
    else:
        _require(Conf.endpoint, Conf.app_id, Conf.app_secret)
        application = conf.app_id, Secret(conf.app_secret), _CREDENTIALS_HINT
    return _token_exchange(provider(), *application, conf.clock_skew_seconds, revocation_seconds)


def access_token_verifier() -> AccessTokenVerifier:
    """Return the verifier of the access tokens that come with API requests. Raise ConfigurationError.

    Its methods raise TokenError and ProviderError of `logto_auth.exceptions`.
    """
    _require(Conf.endpoint)
    return _access_token_verifier(provider(), conf.clock_skew_seconds, conf.api_token_cache_size)


def management_api(*, max_tries: int = MAX_TRIES) -> ManagementAPI:
    """Return the client of Logto's Management API, with the machine-to-machine application.

    The application needs a role with the permission `all`. `max_tries` is how often a request is sent: a page, for
    which a visitor waits, needs fewer than a command. Raise ConfigurationError.
    """
    # The indicator is a name, so it follows the public address.
    resource = conf.management_api_resource or resource_indicator(conf.endpoint)
    timeouts = tuple(conf.http_timeout_seconds)
    return _management_api(machine_client(), conf.server_endpoint, resource, timeouts, max_tries)


def account_api(access_token: Secret, *, scopes: Collection[str], verification_id: Secret | None = None) -> AccountAPI:
    """Return the client of the Account API for one user: see `account_api.AccountAPI`. Raise ConfigurationError.

    Views use `request.logto.account`, which has the tokens of the session.
    """
    _require(Conf.endpoint)
    return AccountAPI(
        endpoint=conf.server_endpoint,
        http=provider().http,
        access_token=access_token,
        scopes=scopes,
        verification_id=verification_id,
    )


def account_center() -> AccountCenter:
    """Return the public settings of the account center: whether it is on, and what users may change.

    They are kept in the cache for a minute. Raise ConfigurationError, ProviderError, and ProviderUnreachable.
    """
    return cast("AccountCenter", _well_known("account-center", AccountCenter))


def known_account_center() -> AccountCenter | None:
    """Return the settings of the account center if they are in the cache: for pages that must not make another call."""
    return cast("AccountCenter | None", known(_WELL_KNOWN, _well_known_url("account-center")))


def is_sign_in_experience_known() -> bool:
    """Return whether `sign_in_experience` finds the settings in the cache."""
    return known(_WELL_KNOWN, _well_known_url("sign-in-exp")) is not None


def sign_in_experience() -> SignInExperience:
    """Return the public settings of the sign-in page: social connectors, password policy, second factors.

    They are kept in the cache for a minute. Raise ConfigurationError, ProviderError, and ProviderUnreachable.
    """
    return cast("SignInExperience", _well_known("sign-in-exp", SignInExperience))


def _well_known(name: str, kind: Any) -> dict[str, Any]:
    """Return a public document of Logto, whose values have the types of `kind`."""
    url = _well_known_url(name)

    def fetch() -> dict[str, Any]:
        response = provider().http.get(url)
        if response.status != 200:
            raise ProviderError(f"{url} answered {response.status}. Expected the public settings of Logto.")
        document: dict[str, Any] | Unfit = fitting(response.json_object(), kind)
        if isinstance(document, Unfit):
            needed = " and ".join(sorted(required_keys(kind)))
            raise ProviderError(f"{url} answered without {needed}. Expected the public settings of Logto.")
        return document

    return cached(_WELL_KNOWN, url, fetch, timeout_seconds=_WELL_KNOWN_SECONDS)


def _well_known_url(name: str) -> str:
    _require(Conf.endpoint)
    return f"{conf.server_endpoint.rstrip('/')}/api/.well-known/{name}"


def provider() -> Provider:
    """Return the provider that all clients share, with its metadata and keys. Raise ConfigurationError."""
    return _provider(
        conf.issuer,
        conf.internal_endpoint,
        tuple(conf.former_issuers),
        tuple(conf.signing_algorithms),
        tuple(conf.http_timeout_seconds),
    )


def _require(*settings: Setting[str], remedy: str = "Run `manage.py check` for the details.") -> None:
    missing = [setting.name for setting in settings if not setting.site_value]
    if missing:
        raise ConfigurationError(f"{', '.join(missing)} must be set. {remedy}")


# The cache key is the values themselves. A changed setting gives another client, so nothing has to be reset.
@lru_cache(maxsize=16)
def _provider(
    issuer: str,
    internal_endpoint: str,
    former_issuers: Sequence[str],
    algorithms: Sequence[str],
    timeouts: Sequence[float],
) -> Provider:
    if internal_endpoint and not is_origin(internal_endpoint):
        raise ConfigurationError(
            "LOGTO_INTERNAL_ENDPOINT is not an origin without a path, such as http://logto:3001. "
            "Run `manage.py check` for the details."
        )
    connect_seconds, total_seconds = timeouts
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    return Provider(
        issuer=issuer,
        former_issuers=former_issuers,
        algorithms=algorithms,
        http=http,
        internal_endpoint=internal_endpoint,
        endpoint_name="LOGTO_ENDPOINT",
    )


@lru_cache(maxsize=16)
def _oidc_client(provider: Provider, client_id: str, client_secret: Secret, leeway_seconds: int) -> OIDCClient:
    return _DjangoOIDCClient(
        provider,
        client_id=client_id,
        client_secret=client_secret,
        leeway_seconds=leeway_seconds,
        hint=_CREDENTIALS_HINT,
    )


@lru_cache(maxsize=16)
def _machine_client(provider: Provider, client_id: str, client_secret: Secret) -> MachineClient:
    return _DjangoMachineClient(
        provider, client_id=client_id, client_secret=client_secret, hint=_MACHINE_CREDENTIALS_HINT
    )


@lru_cache(maxsize=16)
def _token_exchange(
    provider: Provider,
    client_id: str,
    client_secret: Secret,
    hint: str,
    leeway_seconds: int,
    revocation_seconds: float,
) -> TokenExchange:
    return _DjangoTokenExchange(
        provider,
        client_id=client_id,
        client_secret=client_secret,
        leeway_seconds=leeway_seconds,
        hint=hint,
        revocation_seconds=revocation_seconds,
    )


@lru_cache(maxsize=16)
def _management_api(
    machine: MachineClient, endpoint: str, resource: str, timeouts: Sequence[float], max_tries: int
) -> ManagementAPI:
    connect_seconds, total_seconds = timeouts
    http = HTTPClient(
        connect_seconds=connect_seconds, total_seconds=total_seconds, max_body_bytes=_MAX_MANAGEMENT_API_BYTES
    )
    return ManagementAPI(
        endpoint=endpoint,
        machine=machine,
        http=http,
        resource=resource,
        credentials_hint=_MACHINE_CREDENTIALS_HINT,
        resource_hint=_RESOURCE_HINT,
        max_tries=max_tries,
    )


@lru_cache(maxsize=16)
def _access_token_verifier(provider: Provider, leeway_seconds: int, cache_size: int) -> AccessTokenVerifier:
    return _DjangoAccessTokenVerifier(
        issuer=provider.issuer,
        former_issuers=provider.former_issuers,
        keys=provider.keys,
        algorithms=provider.algorithms,
        leeway_seconds=leeway_seconds,
        cache_size=cache_size,
    )


def reset_clients() -> None:
    """Drop all clients with their caches, as in a new process. For tests."""
    for build in (
        _provider,
        _oidc_client,
        _machine_client,
        _token_exchange,
        _management_api,
        _access_token_verifier,
    ):
        build.cache_clear()

"""Whether Logto exchanges tokens for the application of the site, which API keys of users need."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from logto_auth.clients import token_exchange
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, ProviderError, TokenError
from logto_auth.oidc.secrets import Secret
from logto_auth.tenant.site import has_sign_in

from .declared import readable_declaration
from .findings import Finding, failure, ok, skipped, warning

__all__ = ["token_exchange_findings"]

# Logto answers so to an application that may not exchange tokens, before it looks at the key.
NOT_ALLOWED = "requested grant type is not allowed for this client"
MADE_UP_KEY = Secret("pat_made-up-by-logto-doctor")


def token_exchange_findings(*, accepts_api_keys: Callable[[], bool]) -> Iterator[Finding]:
    """Yield whether Logto exchanges tokens, if a view of the site accepts API keys or if it is declared.

    Logto is asked to exchange a key that does not exist, and its answer differs if the application may not.
    """
    has_api_keys = accepts_api_keys()
    if not (has_api_keys or readable_declaration().token_exchange):
        return
    if has_sign_in() and not (conf.app_id and conf.app_secret):
        return  # the system checks report it
    try:
        client = token_exchange()
    except ConfigurationError as error:
        yield skipped("token-exchange", f"Not tried: {error}")
        return
    try:
        client.exchange_personal_access_token(MADE_UP_KEY)
    except TokenError:
        yield ok("token-exchange", f"Logto exchanges tokens for the application {client.client_id}.")
    except ProviderError as error:
        if error.code == "client_rejected" and error.error_description != NOT_ALLOWED:
            return  # the examination of the application reports its credentials
        if error.error_description != NOT_ALLOWED:
            yield warning(
                "token-exchange", f"This could not be tried: {error}", "Correct this, or see the log of Logto."
            )
            return
        what = "No API key works" if has_api_keys else "No token can be exchanged"
        yield failure(
            "token-exchange",
            f"{what}. {error}",
            "Declare token_exchange=True in LOGTO_TENANT and run manage.py logto_setup.",
        )

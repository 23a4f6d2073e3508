"""Examine the application in Logto, with the requests of a sign-in and a sign-out.

The authorization requests have `prompt=none`: Logto checks them completely, shows no page and stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient, Response
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_endpoint import ClientSecretBasic
from logto_auth.oidc.types import ProviderMetadata
from logto_auth.tenant.declaration import normalize_uri
from logto_auth.tenant.site import post_sign_out_uris, redirect_uris

from .findings import Finding, failure, ok, skipped

__all__ = ["NO_USER_SIGNED_IN", "Answer", "SignInExamination", "answer_of"]

INVALID_CODE = "made-up-by-logto-doctor"
EXAMPLE = "example"
# The answer to a valid request with `prompt=none`, because no user is signed in.
NO_USER_SIGNED_IN = "login_required"
SETUP = "manage.py logto_setup does this, or the page of the application in the Logto Console."


@dataclass(frozen=True)
class Answer:
    """The error of an OAuth endpoint. `is_callback` is true if it was sent to the redirect URI."""

    status: int
    error: str
    description: str
    is_callback: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.error or 'no error'} {self.description}".rstrip()


class SignInExamination:
    """The examination of sign-ins to the site at `base_urls`, with the application in the settings."""

    def __init__(
        self, http: HTTPClient, metadata: ProviderMetadata, addresses: Addresses, base_urls: Sequence[str]
    ) -> None:
        self._http = http
        self._metadata = metadata
        # This server may reach only the internal address of Logto, also for what a browser would open.
        self._addresses = addresses
        # For a URI with a wildcard, one URI that matches is tried.
        self._redirect_uris = [uri.replace("*", EXAMPLE) for uri in redirect_uris(base_urls)]
        self._post_sign_out_uris = [uri.replace("*", EXAMPLE) for uri in post_sign_out_uris(base_urls)]

    def examine(self) -> Iterator[Finding]:
        """Yield the findings about the application, its secret, its URIs and the API resources in the settings."""
        yield self._application()
        registered = []
        for uri in self._redirect_uris:
            answer = self._authorize(uri)
            yield _redirect_uri_finding(uri, answer)
            registered += [uri] if answer.is_callback else []
        for uri in self._post_sign_out_uris:
            yield self._post_sign_out_uri(uri)
        yield from self._resources(registered)

    # The application

    def _application(self) -> Finding:
        answer = self._exchange_invalid_code()
        if answer.error == "invalid_grant":
            return ok("application", f"The application {conf.app_id} exists, and LOGTO_APP_SECRET is valid.")
        if answer.error == "invalid_client" and answer.status == 400:
            return failure(
                "application",
                f"The tenant has no application with the App ID {conf.app_id}.",
                "Copy LOGTO_APP_ID from the page of the application in the Logto Console of this tenant.",
            )
        if answer.error == "invalid_client":
            return self._rejected()
        if "expired" in answer.description:
            return failure(
                "application",
                "LOGTO_APP_SECRET has expired.",
                "Create a new app secret in the Logto Console, on the page of the application.",
            )
        if "grant type" in answer.description:
            return _wrong_type("Machine-to-machine")
        return failure("application", f"The token endpoint answered {answer}.", "See the log of Logto.")

    def _exchange_invalid_code(self) -> Answer:
        form: dict[str, str | Secret] = {
            "grant_type": "authorization_code",
            "code": INVALID_CODE,
            "redirect_uri": next(iter(self._redirect_uris), "https://made-up.example/callback"),
            "code_verifier": AuthorizationRequest().code_verifier,
        }
        auth = ClientSecretBasic(conf.app_id, Secret(conf.app_secret))
        return answer_of(self._http.post_form(self._metadata.token_endpoint, form, auth=auth))

    def _rejected(self) -> Finding:
        """Return why Logto rejects the secret.

        Applications of the types Single page app and Native have no secret, so Logto rejects every secret. Only they
        require PKCE.
        """
        for uri in self._redirect_uris:
            if "PKCE" in self._authorize(uri, has_pkce=False).description:
                return _wrong_type("Single page app or Native app")
        return failure(
            "application",
            f"The application {conf.app_id} exists, but LOGTO_APP_SECRET is wrong.",
            "Copy an app secret from the page of the application in the Logto Console. If the page shows none, the "
            "application is not of the type Traditional Web: create one of that type.",
        )

    # URIs

    def _authorize(self, redirect_uri: str, *, resource: str = "", has_pkce: bool = True) -> Answer:
        url = AuthorizationRequest().url(
            self._addresses.for_server(self._metadata.authorization_endpoint),
            client_id=conf.app_id,
            redirect_uri=redirect_uri,
            scopes=list(conf.scopes),
            resources=[resource] if resource else [],
            prompt="none",
            options=SignInOptions(),
        )
        if not has_pkce:
            url = _without(url, "code_challenge", "code_challenge_method")
        return answer_of(self._http.get_allowing_redirect(url), redirect_uri)

    def _post_sign_out_uri(self, uri: str) -> Finding:
        query = urlencode({"client_id": conf.app_id, "post_logout_redirect_uri": uri})
        end_session_endpoint = self._addresses.for_server(self._metadata.end_session_endpoint)
        response = self._http.get_allowing_redirect(f"{end_session_endpoint}?{query}")
        if response.status == 200:
            return ok("post-sign-out-uri", f"{uri} is registered.")
        answer = answer_of(response)
        if "not registered" in answer.description:
            return failure(
                "post-sign-out-uri",
                f"{uri} is not registered. A user who signs out sees an error page of Logto.",
                f"Add it to the post sign-out redirect URIs. {SETUP}",
            )
        if answer.error == "invalid_client":
            return skipped("post-sign-out-uri", f"{uri} was not tried, because the application does not exist.")
        return failure(
            "post-sign-out-uri",
            f"Logto answered {answer} to a sign-out with the redirect URI {uri}.",
            "See the log of Logto.",
        )

    # API resources

    def _resources(self, registered: Sequence[str]) -> Iterator[Finding]:
        resources = list(dict.fromkeys([*conf.resources, *conf.declared_api_resources]))
        if resources and not registered:
            yield skipped("resources", f"Not tried, because no redirect URI is registered: {', '.join(resources)}.")
            return
        for resource in resources:
            answer = self._authorize(registered[0], resource=resource)
            if answer.error == NO_USER_SIGNED_IN:
                yield ok("resources", f"The API resource {resource} exists.")
            else:
                yield _resource_failure(resource, answer)


def _redirect_uri_finding(uri: str, answer: Answer) -> Finding:
    if answer.is_callback and answer.error == NO_USER_SIGNED_IN:
        return ok("redirect-uri", f"{uri} is registered.")
    if answer.error == "invalid_redirect_uri":
        return failure(
            "redirect-uri",
            f"{uri} is not registered. Every sign-in with it ends on an error page of Logto.",
            f"Add exactly this URI to the redirect URIs. {SETUP}",
        )
    if answer.error == "invalid_client":
        return skipped("redirect-uri", f"{uri} was not tried, because the application does not exist.")
    if answer.error == "interaction_required":
        return _wrong_type("Native app")
    return failure(
        "redirect-uri",
        f"Logto answered {answer} to a sign-in with the redirect URI {uri}.",
        "Check LOGTO_SCOPES. A third-party application can only request the scopes that are enabled for it.",
    )


def _resource_failure(resource: str, answer: Answer) -> Finding:
    if answer.error != "invalid_target":
        return failure(
            "resources", f"Logto answered {answer} for the API resource {resource}.", "See the log of Logto."
        )
    own = "LOGTO_API_RESOURCE" if resource == conf.api_resource else "LOGTO_API_RESOURCES"
    setting = "LOGTO_RESOURCES" if resource in conf.resources else own
    # To know the methods of a sign-in, the site requests the token for its API in the sign-in itself.
    is_requested = resource in conf.sign_in_resources
    consequence = "Logto rejects every sign-in" if is_requested else "Logto issues no tokens for it"
    return failure(
        "resources",
        f"{setting} names {resource}, which is not an API resource of the tenant. {consequence}.",
        "Declare it in LOGTO_TENANT and run manage.py logto_setup, or correct the setting.",
    )


def _wrong_type(type: str) -> Finding:
    return failure(
        "application",
        f"The application {conf.app_id} has the type {type}, expected Traditional Web.",
        "Logto cannot change the type: create another application. manage.py logto_setup creates one if LOGTO_APP_ID "
        "is not set.",
    )


def answer_of(response: Response, redirect_uri: str = "") -> Answer:
    """Return the error in the query of a callback, or in the body of the response."""
    location = response.headers.get("Location", "")
    if redirect_uri and normalize_uri(location.partition("?")[0]) == normalize_uri(redirect_uri):
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return Answer(response.status, *_error_in(query), is_callback=True)
    try:
        return Answer(response.status, *_error_in(response.json_object()))
    except ProviderError:
        return Answer(response.status, "", "")


def _error_in(members: dict[str, Any]) -> tuple[str, str]:
    return single_line(members.get("error")), single_line(members.get("error_description"))


def _without(url: str, *names: str) -> str:
    base, _, query = url.partition("?")
    kept = [(name, value) for name, values in parse_qs(query).items() for value in values if name not in names]
    return f"{base}?{urlencode(kept)}"

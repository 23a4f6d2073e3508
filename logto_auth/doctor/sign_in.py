"""The application at Logto, tried by requests such as a sign-in and a sign-out make.

The authorization requests say `prompt=none`: Logto checks all of them, asks nobody, and keeps nothing of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from logto_auth.conf import conf
from logto_auth.exceptions import ProviderError
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.oidc.http import HTTPClient, Response
from logto_auth.oidc.token_endpoint import ClientSecretBasic, clean
from logto_auth.oidc.types import ProviderMetadata
from logto_auth.tenant.declaration import normal_uri
from logto_auth.tenant.site import post_sign_out_uris, redirect_uris

from .findings import Finding, failure, ok, skipped

MADE_UP_CODE = "made-up-by-logto-doctor"
EXAMPLE = "example"
# What Logto answers to `prompt=none` when all else is well, for nobody is signed in.
NOBODY_SIGNED_IN = "login_required"
SETUP = "manage.py logto_setup does it, or the Logto Console, on the application's page."


@dataclass(frozen=True)
class Answer:
    """What an OAuth endpoint said. `is_callback`: it sent the browser back to the site with it."""

    status: int
    error: str
    description: str
    is_callback: bool = False

    def __str__(self) -> str:
        return f"{self.status} {self.error or 'no error'} {self.description}".rstrip()


class SignIn:
    """Sign-ins to the site at `base_urls`, by the application of the settings."""

    def __init__(self, http: HTTPClient, metadata: ProviderMetadata, base_urls: Sequence[str]) -> None:
        self._http = http
        self._metadata = metadata
        # Of a pattern one address that fits it is tried.
        self._redirect_uris = [uri.replace("*", EXAMPLE) for uri in redirect_uris(base_urls)]
        self._post_sign_out_uris = [uri.replace("*", EXAMPLE) for uri in post_sign_out_uris(base_urls)]

    def examine(self) -> Iterator[Finding]:
        """The application and its secret, each of its addresses, and the API resources that are asked for."""
        yield self._application()
        registered = []
        for uri in self._redirect_uris:
            answer = self._authorize(uri)
            yield _redirect_uri(uri, answer)
            registered += [uri] if answer.is_callback else []
        for uri in self._post_sign_out_uris:
            yield self._post_sign_out_uri(uri)
        yield from self._resources(registered)

    # The application

    def _application(self) -> Finding:
        answer = self._exchange_made_up_code()
        if answer.error == "invalid_grant":
            return ok("application", f"Logto knows the application {conf.app_id}, and takes its secret.")
        if answer.error == "invalid_client" and answer.status == 400:
            return failure(
                "application",
                f"Logto has no application with the App ID {conf.app_id}.",
                "Copy LOGTO_APP_ID from the application's page in the Logto Console of this very tenant.",
            )
        if answer.error == "invalid_client":
            return self._refused()
        if "expired" in answer.description:
            return failure(
                "application",
                "LOGTO_APP_SECRET has expired.",
                "Make a new app secret in the Logto Console, on the application's page.",
            )
        if "grant type" in answer.description:
            return _wrong_type("Machine-to-machine")
        return failure("application", f"The token endpoint answered {answer}.", "See Logto's own log.")

    def _exchange_made_up_code(self) -> Answer:
        form = {
            "grant_type": "authorization_code",
            "code": MADE_UP_CODE,
            "redirect_uri": next(iter(self._redirect_uris), "https://made-up.example/callback"),
            "code_verifier": AuthorizationRequest().code_verifier,
        }
        auth = ClientSecretBasic(conf.app_id, conf.app_secret)
        return _answer(self._http.post_form(self._metadata.token_endpoint, form, auth=auth))

    def _refused(self) -> Finding:
        """An application that has no secret, for apps and scripts, refuses every one; it alone demands PKCE."""
        for uri in self._redirect_uris:
            if "PKCE" in self._authorize(uri, has_pkce=False).description:
                return _wrong_type("Single page app or Native app")
        return failure(
            "application",
            f"Logto knows the application {conf.app_id}, and refuses LOGTO_APP_SECRET.",
            "Copy an app secret from the application's page in the Logto Console. If it has none there, it is not a "
            "Traditional Web application: make one that is.",
        )

    # Its addresses

    def _authorize(self, redirect_uri: str, *, resource: str = "", has_pkce: bool = True) -> Answer:
        url = AuthorizationRequest().url(
            self._metadata.authorization_endpoint,
            client_id=conf.app_id,
            redirect_uri=redirect_uri,
            scopes=list(conf.scopes),
            resources=[resource] if resource else [],
            prompt="none",
            options=SignInOptions(),
        )
        if not has_pkce:
            url = _without(url, "code_challenge", "code_challenge_method")
        return _answer(self._http.look(url), redirect_uri)

    def _post_sign_out_uri(self, uri: str) -> Finding:
        query = urlencode({"client_id": conf.app_id, "post_logout_redirect_uri": uri})
        response = self._http.look(f"{self._metadata.end_session_endpoint}?{query}")
        if response.status == 200:
            return ok("post-sign-out-uri", f"{uri} is registered.")
        answer = _answer(response)
        if "not registered" in answer.description:
            return failure(
                "post-sign-out-uri",
                f"{uri} is not registered: whoever signs out ends on an error page of Logto.",
                f"Add it to the post sign-out redirect URIs. {SETUP}",
            )
        if answer.error == "invalid_client":
            return skipped("post-sign-out-uri", f"{uri} cannot be tried without the application.")
        return failure("post-sign-out-uri", f"Logto answered {answer} to a sign-out to {uri}.", "See Logto's own log.")

    # API resources

    def _resources(self, registered: Sequence[str]) -> Iterator[Finding]:
        resources = list(dict.fromkeys([*conf.resources, *([conf.api_resource] if conf.api_resource else [])]))
        if resources and not registered:
            yield skipped("resources", f"Not tried, for want of a registered redirect URI: {', '.join(resources)}.")
            return
        for resource in resources:
            answer = self._authorize(registered[0], resource=resource)
            if answer.error == NOBODY_SIGNED_IN:
                yield ok("resources", f"Logto knows the API resource {resource}.")
            else:
                yield _resource_fault(resource, answer)


def _redirect_uri(uri: str, answer: Answer) -> Finding:
    if answer.is_callback and answer.error == NOBODY_SIGNED_IN:
        return ok("redirect-uri", f"{uri} is registered.")
    if answer.error == "invalid_redirect_uri":
        return failure(
            "redirect-uri",
            f"{uri} is not registered: every sign-in from there ends on an error of Logto.",
            f"Add it to the redirect URIs, letter by letter. {SETUP}",
        )
    if answer.error == "invalid_client":
        return skipped("redirect-uri", f"{uri} cannot be tried without the application.")
    if answer.error == "interaction_required":
        return _wrong_type("Native app")
    return failure(
        "redirect-uri",
        f"Logto answered {answer} to a sign-in that comes back to {uri}.",
        "See LOGTO_SCOPES; an application for others (third-party) may ask for those only that are enabled for it.",
    )


def _resource_fault(resource: str, answer: Answer) -> Finding:
    if answer.error != "invalid_target":
        return failure("resources", f"Logto answered {answer} for the API resource {resource}.", "See Logto's own log.")
    setting = "LOGTO_RESOURCES" if resource in conf.resources else "LOGTO_API_RESOURCE"
    consequence = "every sign-in is refused" if resource in conf.resources else "nobody can get a token for it"
    return failure(
        "resources",
        f"{setting} names {resource}, which is no API resource of the tenant: {consequence}.",
        "Declare it in LOGTO_TENANT and run manage.py logto_setup, or correct the setting.",
    )


def _wrong_type(type: str) -> Finding:
    return failure(
        "application",
        f"The application {conf.app_id} is of the type {type}, expected Traditional Web.",
        "Logto cannot change that: make another one. manage.py logto_setup does, where LOGTO_APP_ID is not set.",
    )


def _answer(response: Response, redirect_uri: str = "") -> Answer:
    """What a response says, in the query of a callback or in its body."""
    location = response.headers.get("Location", "")
    if redirect_uri and normal_uri(location.partition("?")[0]) == normal_uri(redirect_uri):
        query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return Answer(response.status, *_error_in(query), is_callback=True)
    try:
        return Answer(response.status, *_error_in(response.json_object()))
    except ProviderError:
        return Answer(response.status, "", "")


def _error_in(members: dict[str, Any]) -> tuple[str, str]:
    return clean(members.get("error")), clean(members.get("error_description"))


def _without(url: str, *names: str) -> str:
    base, _, query = url.partition("?")
    kept = [(name, value) for name, values in parse_qs(query).items() for value in values if name not in names]
    return f"{base}?{urlencode(kept)}"

"""The start of a sign-in: from a request to the redirect to Logto."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions

from .state import PendingSignIn, save_pending

__all__ = [
    "absolute_uri",
    "options_from_query",
    "redirect_to_logto",
    "safe_next_url",
    "sign_in_paths",
    "sign_in_url",
]

# In characters of the percent-encoded URL. The cookie of the pending sign-in has no room for more.
MAX_NEXT_LENGTH = 1024
# Options of `SignInOptions` that are lists; in a URL their values are separated by spaces.
LIST_OPTIONS = {"identifiers"}
NUMBER_OPTIONS = {"max_age"}
MAX_NUMBER_LENGTH = 9
# Names of the views that a sign-in never returns to.
SIGN_IN_VIEWS = (
    "sign-in",
    "callback",
    "sign-out",
    "sign-out-others",
    "back-channel-logout",
    "choose-organization",
    "accept-invitation",
)


def redirect_to_logto(
    request: HttpRequest,
    *,
    next_url: str | None = None,
    options: SignInOptions | None = None,
    is_silent: bool = False,
) -> HttpResponseRedirect:
    """Return the redirect to Logto that starts a sign-in, with the cookie of the pending sign-in.

    After the sign-in the browser goes to `next_url`, if it is safe. `is_silent` is for `prompt="none"`, when the user
    did not ask to sign in. If a user is signed in here, the silent sign-in confirms their session: it signs in no other
    user, and the session ends if Logto does not confirm it. A site's own view can set any option, also those that a URL
    must not set: `return redirect_to_logto(request, options=SignInOptions(organization_id="..."))`.

    Raise ProviderError if Logto's metadata cannot be fetched, ConfigurationError if a setting is missing.
    Source: OpenID Connect Core 1.0, section 3.1.2.1.
    """
    authorization_request = AuthorizationRequest()
    redirect_uri = absolute_uri(request, reverse("logto_auth:callback"))
    options = _with_site_parameters(options or SignInOptions())
    client = oidc_client()
    url = authorization_request.url(
        client.metadata.authorization_endpoint,
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scopes=conf.scopes,
        resources=conf.resources,
        prompt=conf.prompt,
        options=options,
    )
    response = HttpResponseRedirect(url)
    pending = PendingSignIn.create(
        authorization_request,
        redirect_uri=redirect_uri,
        next_url=safe_next_url(request, next_url),
        options=options,
        is_silent=is_silent,
        confirmed_user=request.session.get(SESSION_KEY, "") if is_silent else "",
    )
    save_pending(request, response, pending)
    return response


def _with_site_parameters(options: SignInOptions) -> SignInOptions:
    return replace(options, extra={**conf.sign_in_parameters, **options.extra})


def options_from_query(query: QueryDict, *, defaults: SignInOptions) -> SignInOptions:
    """Return `defaults`, updated by the options in `query` that `LOGTO_SIGN_IN_QUERY_PARAMETERS` allows.

    Raise InvalidSignInOption for a value that Logto does not accept.
    """
    options: dict[str, Any] = {}
    for name in conf.sign_in_query_parameters:
        if value := query.get(name, "").strip():
            options[name] = _option_value(name, value)
    return replace(defaults, **options)


def _option_value(name: str, text: str) -> Any:
    if name in LIST_OPTIONS:
        return text.split()
    if name in NUMBER_OPTIONS and text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_LENGTH:
        return int(text)
    # A text where a number is expected is refused by SignInOptions, which names the option.
    return text


def absolute_uri(request: HttpRequest, location: str) -> str:
    """Return `location` as an absolute URI: under `LOGTO_BASE_URL` if it is set, else under the host of `request`."""
    return urljoin(conf.base_url, location) if conf.base_url else request.build_absolute_uri(location)


def safe_next_url(request: HttpRequest, url: str | None) -> str:
    """Return `url` if it leads to a page of this site, except the sign-in pages, else `LOGIN_REDIRECT_URL`."""
    return url if url and _is_safe_next(request, url) else resolve_url(settings.LOGIN_REDIRECT_URL)


def _is_safe_next(request: HttpRequest, url: str) -> bool:
    return (
        url.isprintable()
        # Percent-encoding turns one character into up to twelve.
        and len(iri_to_uri(url)) <= MAX_NEXT_LENGTH
        and url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
        and urlsplit(url).path not in sign_in_paths()
    )


def sign_in_paths() -> set[str]:
    """Return the paths of the sign-in pages, to which a sign-in never returns."""
    return {reverse(f"logto_auth:{name}") for name in SIGN_IN_VIEWS}


def sign_in_url(next_url: str = "", **options: str | int) -> str:
    """Return the URL path of the sign-in view, with `next_url` and options of `SignInOptions` in its query."""
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in options.items() if value != ""})
    if next_url:
        query[REDIRECT_FIELD_NAME] = next_url
    path = reverse("logto_auth:sign-in")
    return f"{path}?{query.urlencode(safe='/')}" if query else path

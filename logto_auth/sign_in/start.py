"""Starting a sign-in: from a request of a browser to the redirect to Logto."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions

from . import state

MAX_NEXT_LENGTH = 1024
# Options of SignInOptions that are lists; in a URL their values are separated by spaces.
LIST_OPTIONS = {"identifiers"}
OWN_VIEWS = (
    "sign-in",
    "callback",
    "sign-out",
    "sign-out-others",
    "back-channel-logout",
    "choose-organization",
    "accept-invitation",
)
NUMBER_OPTIONS = {"max_age"}


def redirect_to_logto(
    request: HttpRequest,
    *,
    next_url: str | None = None,
    options: SignInOptions | None = None,
    is_silent: bool = False,
) -> HttpResponseRedirect:
    """The redirect that starts a sign-in; afterwards the visitor goes on to `next_url` on this site.

    For views of a site's own that set what a URL may not:
    `return redirect_to_logto(request, options=SignInOptions(organization_id="..."))`. Raises ProviderError when
    Logto's metadata is not to be had.
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
    started = state.PendingSignIn.start(
        authorization_request,
        redirect_uri=redirect_uri,
        next_url=safe_next_url(request, next_url),
        options=options,
        is_silent=is_silent,
    )
    state.keep(request, response, started)
    return response


def _with_site_parameters(options: SignInOptions) -> SignInOptions:
    return replace(options, extra={**conf.sign_in_parameters, **options.extra})


def options_from_query(query: QueryDict, *, defaults: SignInOptions) -> SignInOptions:
    """`defaults` and the options that a URL sets, of those that the site allows it to. Raises InvalidSignInOption."""
    options: dict[str, Any] = {}
    for name in conf.sign_in_query_parameters:
        if value := query.get(name, "").strip():
            options[name] = _option_value(name, value)
    return replace(defaults, **options)


def _option_value(name: str, text: str) -> Any:
    if name in LIST_OPTIONS:
        return text.split()
    # What is no number is left as it is, for SignInOptions to refuse by name.
    return int(text) if name in NUMBER_OPTIONS and text.isascii() and text.isdigit() and len(text) < 10 else text


def absolute_uri(request: HttpRequest, location: str) -> str:
    """`location` as an absolute URI of this site: under `LOGTO_BASE_URL` if set, else as the request came in."""
    return urljoin(conf.base_url, location) if conf.base_url else request.build_absolute_uri(location)


def safe_next_url(request: HttpRequest, url: str | None) -> str:
    """`url` if it leads to a page of this site other than the sign-in pages, else where `LOGIN_REDIRECT_URL` leads."""
    return url if url and _is_safe_next(request, url) else resolve_url(settings.LOGIN_REDIRECT_URL)


def _is_safe_next(request: HttpRequest, url: str) -> bool:
    return (
        url.isprintable()
        # As it stands in an address, where one character may take up to twelve: the cookie has room for no more.
        and len(iri_to_uri(url)) <= MAX_NEXT_LENGTH
        and url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
        and urlsplit(url).path not in sign_in_paths()
    )


def sign_in_paths() -> set[str]:
    """The paths of the sign-in pages, which nobody ever wants to come back to."""
    return {reverse(f"logto_auth:{name}") for name in OWN_VIEWS}


def sign_in_url(next_url: str = "", **options: str | int) -> str:
    """The address of the sign-in view, to come back to `next_url`; `options` as in `SignInOptions`."""
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in options.items() if value != ""})
    if next_url:
        query[REDIRECT_FIELD_NAME] = next_url
    path = reverse("logto_auth:sign-in")
    return f"{path}?{query.urlencode(safe='/')}" if query else path

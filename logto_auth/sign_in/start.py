"""The start of a sign-in: from a request to the redirect to Logto."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.utils.encoding import escape_uri_path
from django.utils.translation import get_language, to_locale

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import CallbackError, InvalidSignInOption
from logto_auth.navigation import is_navigation, is_prefetch
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.tenant.declaration import normalize_uri

from .next_url import safe_next_url, view_url, with_query
from .state import PendingSignIn, save_pending

__all__ = [
    "absolute_uri",
    "active_languages",
    "check_url_options",
    "number_or_text",
    "options_from_query",
    "redirect_to_base_url",
    "redirect_to_logto",
    "repeat_with_consent",
    "sign_in_url",
]

# Options of `SignInOptions` that are lists; in a URL their values are separated by spaces.
LIST_OPTIONS = {"identifiers"}
NUMBER_OPTIONS = {"max_age"}
MAX_NUMBER_LENGTH = 9
# Logto's names of languages that Django names by their script. Logto would show both in simplified characters.
LOGTO_LANGUAGES = {"zh-hans": "zh-CN", "zh-hant": "zh-TW"}
# Marks a request that was redirected from another host of the site. A proxy that rewrites `Host` would cause a loop.
REDIRECTED = "redirected"


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

    If a page is opened at another origin than `LOGTO_BASE_URL`, the redirect leads to the same page there.

    Raise CallbackError if the browser prefetches the URL, or if a script, a frame or an image requests it. Raise
    ProviderError if Logto's metadata cannot be fetched, ConfigurationError if a setting is missing.
    Source: OpenID Connect Core 1.0, section 3.1.2.1.
    """
    _require_navigation(request, is_silent=is_silent)
    if not is_silent and (moved := redirect_to_base_url(request)):
        return moved
    options = options or SignInOptions()
    authorization_request = AuthorizationRequest()
    pending = PendingSignIn.create(
        authorization_request,
        redirect_uri=absolute_uri(request, view_url("callback")),
        next_url=safe_next_url(request, next_url),
        options=options,
        is_silent=is_silent,
        confirmed_user=request.session.get(SESSION_KEY, "") if is_silent else "",
        may_repeat=(options.prompt or conf.prompt) == "none",
    )
    return _redirect(request, authorization_request, pending, options)


def repeat_with_consent(request: HttpRequest, pending: PendingSignIn) -> HttpResponseRedirect:
    """Return the redirect that repeats a sign-in with `prompt=none`, to which Logto has answered `consent_required`.

    The session at Logto has no grant for this site, or none for a scope that the site requests now. With
    `prompt=consent` Logto adds it, and shows no page for a first-party application. The second sign-in confirms the
    same session as the first one, has the same time limit, and is not repeated.

    Raise ProviderError if Logto's metadata cannot be fetched.
    """
    options = SignInOptions(**{**(pending.repeat_options or {}), "prompt": "consent"})
    authorization_request = AuthorizationRequest()
    repeated = replace(
        pending,
        state=authorization_request.state,
        nonce=authorization_request.nonce,
        code_verifier=authorization_request.code_verifier,
        repeat_options=None,
    )
    return _redirect(request, authorization_request, repeated, options)


def _redirect(
    request: HttpRequest, authorization_request: AuthorizationRequest, pending: PendingSignIn, options: SignInOptions
) -> HttpResponseRedirect:
    """Return the redirect to Logto, with the cookie of `pending`."""
    client = oidc_client()
    url = authorization_request.url(
        client.metadata.authorization_endpoint,
        client_id=client.client_id,
        redirect_uri=pending.redirect_uri,
        scopes=conf.scopes,
        resources=conf.sign_in_resources,
        prompt=conf.prompt,
        options=_with_site_parameters(options),
    )
    response = HttpResponseRedirect(url)
    save_pending(request, response, pending)
    return response


def _require_navigation(request: HttpRequest, *, is_silent: bool) -> None:
    """Raise CallbackError if the request would start a sign-in without the user's knowledge.

    A frame of the site may confirm its session by a silent sign-in.
    """
    if is_prefetch(request) or not (is_silent or is_navigation(request)):
        mode, destination = (request.headers.get(f"Sec-Fetch-{name}", "none") for name in ("Mode", "Dest"))
        raise CallbackError(
            f"A sign-in was requested with mode {mode!r:.20} and destination {destination!r:.20}, "
            "expected the navigation of a page.",
            code="not_a_navigation",
            status=403,
        )


def redirect_to_base_url(request: HttpRequest) -> HttpResponseRedirect | None:
    """Return the redirect of a GET request to the same URL under `LOGTO_BASE_URL`, or None if it is there already.

    The callback is under `LOGTO_BASE_URL`, and browsers do not send it the cookies of other hosts.
    """
    if not conf.base_url or request.method != "GET" or REDIRECTED in request.GET:
        return None
    base_url = normalize_uri(conf.base_url)
    if normalize_uri(request.build_absolute_uri("/")) == base_url:
        return None
    query = request.GET.copy()
    query[REDIRECTED] = "1"
    return HttpResponseRedirect(f"{base_url.rstrip('/')}{escape_uri_path(request.path)}?{query.urlencode(safe='/')}")


def _with_site_parameters(options: SignInOptions) -> SignInOptions:
    options = replace(options, extra={**conf.sign_in_parameters, **options.extra})
    if options.ui_locales or "ui_locales" in options.extra:
        return options
    with suppress(InvalidSignInOption):  # the site's code may activate any text as a language
        options = replace(options, ui_locales=active_languages())
    return options


def active_languages() -> str:
    """Return the tag of the active language, and of that language in general, in Logto's spelling."""
    code = get_language() or ""
    tag = LOGTO_LANGUAGES.get(code) or to_locale(code).replace("_", "-")
    return " ".join(dict.fromkeys(filter(None, [tag, tag.partition("-")[0]])))


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
    # A text where a number is expected is refused by SignInOptions, which names the option.
    return number_or_text(text) if name in NUMBER_OPTIONS else text


def number_or_text(text: str) -> int | str:
    """Return the whole number in a value of a query; `text` itself if it is none, or has too many digits."""
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_NUMBER_LENGTH
    return int(text) if is_number else text


def check_url_options(options: Mapping[str, object]) -> None:
    """Raise InvalidSignInOption for an option that a URL must not set, or for a value that Logto does not accept."""
    allowed = conf.sign_in_query_parameters
    if refused := sorted(set(options) - set(allowed)):
        raise InvalidSignInOption(
            f"The URL of a sign-in cannot set {', '.join(refused)}. "
            f"LOGTO_SIGN_IN_QUERY_PARAMETERS allows {', '.join(allowed)}."
        )
    query = QueryDict(mutable=True)
    query.update({name: str(value) for name, value in options.items()})
    options_from_query(query, defaults=SignInOptions())


def absolute_uri(request: HttpRequest, location: str) -> str:
    """Return `location` as an absolute URI: under `LOGTO_BASE_URL` if it is set, else under the host of `request`."""
    return urljoin(conf.base_url, location) if conf.base_url else request.build_absolute_uri(location)


def sign_in_url(next_url: str = "", **options: str | int) -> str:
    """Return the URL of the sign-in view, with `next_url` and options of `SignInOptions` in its query."""
    query = {name: str(value) for name, value in options.items() if value != ""}
    if next_url:
        query[REDIRECT_FIELD_NAME] = next_url
    return with_query(view_url("sign-in"), query)

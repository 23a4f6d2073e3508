"""The security verification: users prove again who they are before something sensitive is changed.

It is what Logto requires for a new password, e-mail address or second factor, and what a site may require for its own
views. The proof belongs to one session, and lasts as long as the verification record at Logto: ten minutes.
"""

from __future__ import annotations

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from logto_auth.access.responses import (
    is_impersonated,
    not_during_impersonation_response,
    page_of_request,
    unauthorized_response,
)
from logto_auth.exceptions import ConfigurationError
from logto_auth.navigation import is_from_script
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import with_query

__all__ = ["require_verification", "verification_response", "verification_url", "with_next"]


def verification_url(next_url: str = "") -> str:
    """Return the URL of the page on which users prove who they are; then they go to `next_url`.

    Raise ConfigurationError if the site does not have the page.
    """
    try:
        url = reverse("logto_account:verify")
    except NoReverseMatch as error:
        raise ConfigurationError(
            "A view requires the security verification, but the site's URLs do not have its page. "
            'Add path("account/", include("logto_auth.account.urls")).'
        ) from error
    return with_next(url, next_url) if next_url else url


def with_next(url: str, next_url: str) -> str:
    """Return `url`, a path, with the page that comes after it."""
    return with_query(url, {REDIRECT_FIELD_NAME: next_url})


def require_verification(request: HttpRequest) -> HttpResponseBase | None:
    """Return None if the user has proved who they are in this session, else the response to send instead.

    A visitor who is not signed in is sent to the sign-in. While staff act as the user, the response is a 403.
    """
    if is_impersonated(request):
        return not_during_impersonation_response(request)
    if request.user.is_authenticated:
        return None if session_principal(request).account.is_verified else verification_response(request)
    page = page_of_request(request)
    return unauthorized_response(request) if is_from_script(request) else redirect_to_login(page)


def verification_response(request: HttpRequest, next_url: str = "") -> HttpResponseBase:
    """Return the redirect to the page of the verification; for scripts, a 401 with its URL.

    After the verification the user goes to `next_url`, by default the page of the request: for a form, the page that
    contains it. Raise ConfigurationError if the site does not have the page.
    """
    url = verification_url(next_url or page_of_request(request))
    return unauthorized_response(request, url) if is_from_script(request) else HttpResponseRedirect(url)

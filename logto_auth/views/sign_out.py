"""The sign-out, here and at Logto, and the end of other sessions."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import get_script_prefix

from logto_auth.access.responses import is_impersonated, not_during_impersonation_response, unauthorized_response
from logto_auth.account.other_sessions import end_other_sessions, ended_text, verification_to_end_sessions
from logto_auth.exceptions import ProviderError
from logto_auth.navigation import is_from_htmx, is_from_script
from logto_auth.oidc.secrets import Secret
from logto_auth.pages.notices import Notice, notices_response
from logto_auth.sessions import store
from logto_auth.sessions.ending import sign_out_here, sign_out_url
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.store import StoredSession
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import absolute_uri
from logto_auth.signals import signed_out

from .public import PublicView

__all__ = ["SignOutOthersView", "SignOutView"]

logger = logging.getLogger("logto_auth")


class SignOutView(PublicView):
    """End the session here, revoke the refresh token, and redirect to the sign-out at Logto. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign out, and return the redirect to Logto, or the page `signed_out.html` if Logto cannot be reached."""
        stored, user = _signed_in(request)
        is_of_logto = stored is not None or store.is_of_logto_backend(request.session)
        home = resolve_url(settings.LOGOUT_REDIRECT_URL or get_script_prefix())
        sign_out_here(request)
        if user.is_authenticated:
            # `request.user` is a lazy object, whose own type is not the user model.
            signed_out.send_robust(sender=user.__class__, request=request, user=user)
        if user.is_authenticated and not is_of_logto:
            # The user signed in with a password, so there is no session at Logto.
            return HttpResponseRedirect(home)
        try:
            url = sign_out_url(absolute_uri(request, home), stored.tokens if stored else None)
        except ProviderError as error:
            # The session on this site has ended. The page says that the session at Logto may remain.
            logger.error("Signed out of this site only: %s", error)
            return render_page(request, "signed_out.html", {"home": home})
        return _redirect_to_sign_out(request, url)


def _signed_in(request: HttpRequest) -> tuple[StoredSession | None, Any]:
    """Return the row and the user to sign out. Staff who act as a user sign themselves out, here and at Logto."""
    impersonation = getattr(request, "impersonation", None)
    if impersonation is not None:
        return impersonation.own_session, impersonation.impersonator
    return session_principal(request).stored_session, request.user


def _redirect_to_sign_out(request: HttpRequest, url: Secret) -> HttpResponse:
    """Return the redirect to `url` at Logto. A script cannot follow it, and gets the URL."""
    if not is_from_script(request):
        return _SignOutRedirect(url.reveal())
    response = JsonResponse({"sign_out_url": url.reveal()})
    if is_from_htmx(request):
        response["HX-Redirect"] = url.reveal()
    return response


class _SignOutRedirect(HttpResponseRedirect):
    def __repr__(self) -> str:
        """Return a text without the URL, which contains the ID token."""
        return f"<{type(self).__name__} status_code={self.status_code}>"


class SignOutOthersView(PublicView):
    """End the other sessions of the user, on this site and at Logto. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """End the other sessions, say how many there were, and return the redirect to `next`.

        If the sessions at Logto can end only after the security verification, the redirect leads there first.
        """
        next_url = safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME))
        if is_impersonated(request):
            return not_during_impersonation_response(request)
        if not session_principal(request).is_authenticated:
            return HttpResponseRedirect(next_url)
        ended = end_other_sessions(request)
        if url := verification_to_end_sessions(request, ended, next_url):
            return unauthorized_response(request, url) if is_from_script(request) else HttpResponseRedirect(url)
        level = messages.WARNING if ended.at_logto is None else messages.SUCCESS
        return notices_response(request, [Notice(ended_text(ended), level)], next_url)

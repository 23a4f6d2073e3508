"""The start of a sign-in."""

from __future__ import annotations

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from logto_auth.access.responses import sign_in_page, unauthorized_response
from logto_auth.exceptions import LogtoError
from logto_auth.navigation import is_fetch, is_from_page_library, is_navigation
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.impersonation import end_impersonation
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.start import options_from_query, redirect_to_logto

from .public import PublicView

__all__ = ["SignInView"]


class SignInView(PublicView):
    """Redirect to Logto. The URL sets `?next=` and the options that `LOGTO_SIGN_IN_QUERY_PARAMETERS` allows."""

    http_method_names = ["get", "head"]
    sign_in_options = SignInOptions()

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to Logto, or to `next` if the user is signed in and the URL sets no option."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        if is_from_page_library(request):
            return sign_in_page(request, request.get_full_path())
        if is_fetch(request):
            return unauthorized_response(request, request.get_full_path())
        try:
            options = options_from_query(request.GET, defaults=self.sign_in_options)
            if options == SignInOptions() and session_principal(request).is_authenticated:
                return HttpResponseRedirect(next_url)
            if is_navigation(request):
                # The staff member signs in, who then no longer acts as the user.
                end_impersonation(request)
            return redirect_to_logto(request, next_url=next_url, options=options)
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)

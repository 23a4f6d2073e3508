"""The start of a sign-in, and the page of an invitation."""

from __future__ import annotations

import re

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from logto_auth.access.responses import sign_in_page, unauthorized_response
from logto_auth.exceptions import InvalidSignInOption, LogtoError
from logto_auth.navigation import is_fetch, is_from_page_library
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import options_from_query, redirect_to_base_url, redirect_to_logto

from .public import PublicView

__all__ = ["AcceptInvitationView", "SignInView"]

# As Logto checks it. The page of an invitation must not show other text, which anyone can put into a link.
EMAIL = re.compile(r"\S+@\S+\.\S+")


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
            return redirect_to_logto(request, next_url=next_url, options=options)
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


@method_decorator(csrf_protect, name="dispatch")
class AcceptInvitationView(PublicView):
    """The page of an invitation link: `?token=` is Logto's one-time token, `?email=` the e-mail address it is for.

    It is not among `logto_auth.urls`: a site that sends invitations adds it. The user accepts with a button, signs in
    or registers at Logto with the token, and then belongs to the organizations that the token was issued for.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page, which shows whom the invitation is for and who is signed in. It changes nothing."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            email = _invitation(request).login_hint
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)
        if moved := redirect_to_base_url(request):
            return moved
        return render_page(request, "accept_invitation.html", {"email": email, "user": request.user})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to Logto."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            return redirect_to_logto(request, next_url=next_url, options=_invitation(request))
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


def _invitation(request: HttpRequest) -> SignInOptions:
    """Return the sign-in options of an invitation link. Raise InvalidSignInOption if it has no valid token or email."""
    options = SignInOptions(
        one_time_token=request.GET.get("token", ""),
        login_hint=request.GET.get("email", ""),
        # Another user than the invited one may be signed in at Logto in this browser.
        prompt="login",
    )
    if not options.one_time_token:
        raise InvalidSignInOption("The link of an invitation needs the parameter token: the one-time token.")
    if not EMAIL.fullmatch(options.login_hint):
        raise InvalidSignInOption("The parameter email of the link of an invitation is not an e-mail address.")
    return options

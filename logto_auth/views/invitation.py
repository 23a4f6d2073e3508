"""The page of an invitation link with a one-time token, and the sign-in of an invited user."""

from __future__ import annotations

import re

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from logto_auth.access.responses import is_impersonated, not_during_impersonation_response
from logto_auth.exceptions import InvalidSignInOption, LogtoError
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import redirect_to_base_url, redirect_to_logto

from .public import PublicView

__all__ = ["AcceptInvitationView", "invited_user"]

# As Logto checks it. The page of an invitation must not show other text, which anyone can put into a link.
EMAIL = re.compile(r"\S+@\S+\.\S+")


@method_decorator(csrf_protect, name="dispatch")
class AcceptInvitationView(PublicView):
    """The page of an invitation link: `?token=` is Logto's one-time token, `?email=` the e-mail address it is for.

    It is not among `logto_auth.urls`: a site that sends invitations adds it. The user accepts with a button, signs in
    or registers at Logto with the token, and then belongs to the organizations that the token was issued for.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page, which shows whom the invitation is for and who is signed in. It changes nothing."""
        if is_impersonated(request):
            return not_during_impersonation_response(request)
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
        if is_impersonated(request):
            return not_during_impersonation_response(request)
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            return redirect_to_logto(request, next_url=next_url, options=_invitation(request))
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


def invited_user(email: str, *, one_time_token: str = "") -> SignInOptions:
    """Return the options of the sign-in of an invited user. Raise InvalidSignInOption."""
    # Another user may be signed in at Logto in this browser, so that Logto has to ask.
    return SignInOptions(one_time_token=one_time_token, login_hint=email, prompt="login")


def _invitation(request: HttpRequest) -> SignInOptions:
    """Return the sign-in options of an invitation link. Raise InvalidSignInOption if it has no valid token or email."""
    options = invited_user(request.GET.get("email", ""), one_time_token=request.GET.get("token", ""))
    if not options.one_time_token:
        raise InvalidSignInOption("The link of an invitation needs the parameter token: the one-time token.")
    if not EMAIL.fullmatch(options.login_hint):
        raise InvalidSignInOption("The parameter email of the link of an invitation is not an e-mail address.")
    return options

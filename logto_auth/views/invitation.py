"""The pages of links that invite the reader of an e-mail."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, ClassVar

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from logto_auth.exceptions import InvalidSignInOption, LogtoError
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import redirect_to_base_url, redirect_to_logto

from .public import PublicView

__all__ = ["AcceptInvitationView", "InvitationView", "invited_user"]

# As Logto checks it. The page of an invitation must not show other text, which anyone can put into a link.
EMAIL = re.compile(r"\S+@\S+\.\S+")


def invited_user(email: str, *, one_time_token: str = "") -> SignInOptions:
    """Return the options of a sign-in as the invited user. Raise InvalidSignInOption."""
    # Another user may be signed in at Logto in this browser, so that Logto has to ask.
    return SignInOptions(one_time_token=one_time_token, login_hint=email, prompt="login")


@method_decorator(csrf_protect, name="dispatch")
class InvitationView(PublicView):
    """The page of an invitation link. GET shows whom it is for. Only the button of the page, a POST, accepts.

    A subclass writes `show` and `accept`, and lets errors of the package propagate.
    """

    http_method_names = ["get", "head", "post"]
    template_name: ClassVar[str]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page, which shows whom the invitation is for and who is signed in."""
        if moved := redirect_to_base_url(request):
            return moved
        try:
            return self.show(*args, **kwargs)
        except LogtoError as error:
            return self.error_response(error)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the response to the button."""
        try:
            return self.accept(*args, **kwargs)
        except LogtoError as error:
            return self.error_response(error)

    @abstractmethod
    def show(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the page. Raise LogtoError."""

    @abstractmethod
    def accept(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the response to the button. Raise LogtoError."""

    def render(self, context: dict[str, Any]) -> HttpResponse:
        """Return the page with `context` and the signed-in user."""
        return render_page(self.request, self.template_name, {"user": self.request.user, **context})

    def sign_in(self, options: SignInOptions, *, next_url: str) -> HttpResponseRedirect:
        """Return the redirect to Logto. Raise as `redirect_to_logto`."""
        return redirect_to_logto(self.request, next_url=next_url, options=options)

    def error_response(self, error: LogtoError) -> HttpResponse:
        """Return the page for an error."""
        return error_response(self.request, error)


class AcceptInvitationView(InvitationView):
    """The page of an invitation link: `?token=` is Logto's one-time token, `?email=` the e-mail address it is for.

    It is not among `logto_auth.urls`: a site that sends invitations adds it. The user accepts with a button, signs in
    or registers at Logto with the token, and then belongs to the organizations that the token was issued for.
    """

    template_name = "accept_invitation.html"

    def show(self) -> HttpResponse:
        """Return the page. It changes nothing. Raise InvalidSignInOption for an invalid link."""
        return self.render({"email": self._options.login_hint})

    def accept(self) -> HttpResponse:
        """Return the redirect to Logto. Raise LogtoError."""
        return self.sign_in(self._options, next_url=self._next_url)

    def error_response(self, error: LogtoError) -> HttpResponse:
        """Return the error page of a sign-in."""
        return error_response(self.request, error, next_url=self._next_url)

    @property
    def _next_url(self) -> str:
        return safe_next_url(self.request, self.request.GET.get(REDIRECT_FIELD_NAME))

    @property
    def _options(self) -> SignInOptions:
        """The sign-in options of the link. Raise InvalidSignInOption without a valid one-time token and address."""
        options = invited_user(self.request.GET.get("email", ""), one_time_token=self.request.GET.get("token", ""))
        if not options.one_time_token:
            raise InvalidSignInOption("The link of an invitation needs the parameter token: the one-time token.")
        if not EMAIL.fullmatch(options.login_hint):
            raise InvalidSignInOption("The parameter email of the link of an invitation is not an e-mail address.")
        return options

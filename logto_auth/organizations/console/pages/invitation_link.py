"""The page of an invitation link, for a reader of the e-mail who may or may not be signed in."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.conf import conf
from logto_auth.encryption import decrypt, encrypt
from logto_auth.exceptions import LogtoError
from logto_auth.navigation import is_from_page_library, is_from_script, is_navigation
from logto_auth.organizations.console.console import OpenInvitation
from logto_auth.organizations.console.errors import InvitationForOther
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.error_page import error_response as sign_in_error_response
from logto_auth.sign_in.start import redirect_to_base_url, redirect_to_logto
from logto_auth.views.invitation import invited_user

from .page import ConsolePage

__all__ = ["InvitationLinkPage"]

# The cookie of the button, which lets the page accept after the sign-in. It is sent for the URL of the link only.
COOKIE = "logto_invitation"
PURPOSE = "organization-invitation-accepting"


@method_decorator(login_not_required, name="dispatch")
class InvitationLinkPage(ConsolePage):
    """Show an invitation, and accept it with a button, if need be after a sign-in.

    A GET accepts only as the last step of a sign-in that the button has started, in the browser that has the cookie.
    """

    http_method_names = ["get", "head", "post"]
    template_name = "invitation_link.html"
    allows_impersonation = False
    needs_user = False
    has_cookie_of_other = False
    done_texts = {"joined": _("You are a member of this organization now.")}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response. Django does not log an error: its line would contain the link. This page logs it."""
        response = super().dispatch(request, *args, **kwargs)
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    def head(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Return an empty response: only a GET can be the last step of a sign-in."""
        return HttpResponse()

    def get(self, request: HttpRequest, sealed: str) -> HttpResponseBase:
        """Return the page; the redirect to the organization if the user has come back from the sign-in."""
        if moved := redirect_to_base_url(request):
            return moved
        try:
            response = self.show(sealed)
        except LogtoError as error:
            response = self.error_response(error)
        if COOKIE in request.COOKIES and not self.has_cookie_of_other:
            response.delete_cookie(COOKIE, path=self.cookie_path, samesite="Lax")
        return response

    @sensitive_variables("sealed")
    def show(self, sealed: str) -> HttpResponseBase:
        """Return the response to a GET. Raise LogtoError."""
        invitation = self.console.open_invitation(sealed)
        # In another tab, the user may be about to accept another invitation.
        self.has_cookie_of_other = self.cookie.get("invitation") not in (None, invitation.id)
        has_returned = self.has_returned_for(invitation)
        if has_returned and invitation.is_for_user:
            return self.join(sealed)
        return self.render(
            {
                "invitation": invitation,
                "email": invitation.email,
                "is_for_other": has_returned and self.is_signed_in,
            }
        )

    @sensitive_variables("sealed")
    def post(self, request: HttpRequest, sealed: str) -> HttpResponseBase:
        """Accept the invitation; if the user has another address, or nobody is signed in, start the sign-in."""
        invitation = self.console.open_invitation(sealed)
        if invitation.is_for_user:
            # The claims may be older than a change of the address at Logto: then the user signs in again.
            with suppress(InvitationForOther):
                return self.join(sealed)
        token = self.console.one_time_token(sealed)
        try:
            options = invited_user(invitation.email, one_time_token=token)
            response = redirect_to_logto(request, next_url=request.path, options=options)
        except LogtoError as error:
            return sign_in_error_response(request, error, next_url=request.path)
        self.remember(invitation, response)
        return response

    def join(self, sealed: str) -> HttpResponseBase:
        """Accept the invitation, and return the redirect to the organization. Raise LogtoError."""
        organization = self.console.accept(sealed)
        url = self.overview_url(organization.id) or resolve_url(settings.LOGIN_REDIRECT_URL)
        return self.redirect_with_rights("joined", url, roles=organization.roles)

    # The sign-in

    @property
    def is_signed_in(self) -> bool:
        """Whether a user is signed in through Logto."""
        return session_principal(self.request).is_authenticated

    def remember(self, invitation: OpenInvitation, response: HttpResponseBase) -> None:
        """Set the cookie by which `has_returned_for` finds that the button has started the sign-in.

        It is not in Django's session, which is emptied when another user signs in.
        """
        content = {"invitation": invitation.id, "at": time.time()}
        response.set_cookie(
            COOKIE,
            encrypt(content, purpose=PURPOSE),
            max_age=conf.sign_in_max_age_seconds,
            path=self.cookie_path,
            secure=self.request.is_secure() or settings.SESSION_COOKIE_SECURE or conf.base_url.startswith("https:"),
            httponly=True,
            # The redirect from Logto is a cross-site navigation, to which browsers do not send Strict cookies.
            samesite="Lax",
        )

    def has_returned_for(self, invitation: OpenInvitation) -> bool:
        """Return whether this request is the last step of a sign-in that the button for this invitation has started.

        The session has to be younger than the click: the user who has just signed in accepts, and not one who was
        signed in before another visitor pressed the button in this browser.
        """
        is_by_script = is_from_script(self.request) or is_from_page_library(self.request)
        if is_by_script or not is_navigation(self.request):
            return False
        content = self.cookie
        stored = session_principal(self.request).stored_session
        return (
            content.get("invitation") == invitation.id
            and stored is not None
            and content["at"] <= stored.started_at
            and time.time() <= content["at"] + conf.sign_in_max_age_seconds
        )

    @cached_property
    def cookie(self) -> dict[str, Any]:
        """What the cookie says; empty without a valid one."""
        return decrypt(self.request.COOKIES.get(COOKIE, ""), purpose=PURPOSE) or {}

    @property
    def cookie_path(self) -> str:
        """The path of all links: browsers compare it with the URL as they have it, which may be encoded differently."""
        return reverse("logto_organizations:invitation", args=["-"]).removesuffix("-")

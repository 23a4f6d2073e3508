"""The page on which users delete their account. What that means is the choice of the site: `LOGTO_DELETE_ACCOUNT`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.requirements import signed_in_recently
from logto_auth.access.responses import unauthorized_response
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ProviderError, SignInRefused, SignInRequired
from logto_auth.navigation import is_from_script
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.ending import sign_out_here, sign_out_url
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.store import SessionTokens
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import absolute_uri, redirect_to_logto, sign_in_url
from logto_auth.signals import account_deleted

from .factors import account_name
from .navigation import url_of
from .page import AccountPage

__all__ = ["DeletePage"]

logger = logging.getLogger("logto_auth")

# How long ago the user may have signed in at Logto, in seconds: also the time that they have to confirm.
MAX_AGE = 300


class ConfirmationForm(forms.Form):
    """The user types the name of the account, so that no account is deleted by a slip."""

    confirmation = forms.CharField(
        max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"})
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["confirmation"].label = gettext("To confirm, type %(name)s") % {"name": expected}

    def clean_confirmation(self) -> str:
        """Return what was typed. Raise ValidationError if it is not the name of the account."""
        typed: str = self.cleaned_data["confirmation"]
        if typed.casefold() != self.expected.strip().casefold():
            raise ValidationError(_("This is not the name of your account. Nothing was deleted."))
        return typed


class DeletePage(AccountPage):
    """Delete the account, for a user who has just signed in. There is no such page without `LOGTO_DELETE_ACCOUNT`."""

    template_name = "delete.html"
    section = "security"
    scopes = ()
    needs_center = False
    actions = {"delete": "delete"}

    def _respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not conf.delete_account:
            raise Http404("LOGTO_DELETE_ACCOUNT is not set.")
        return super()._respond(request, *args, **kwargs)

    def check(self) -> HttpResponseBase | None:
        """Return None if the user has signed in at Logto within `MAX_AGE` seconds. Raise ProviderError.

        The account center need not be on: the site deletes the account.
        """
        if signed_in_recently(session_principal(self.request), MAX_AGE):
            return None
        if is_from_script(self.request):
            return unauthorized_response(self.request, sign_in_url(self.url))
        if self.request.method != "GET":
            return HttpResponseRedirect(self.url)
        return redirect_to_logto(self.request, next_url=self.url, options=SignInOptions(max_age=MAX_AGE))

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page."""
        return self.render_form(ConfirmationForm(expected=account_name(request)))

    def render_form(self, form: ConfirmationForm) -> HttpResponse:
        """Return the page with the form."""
        return self.render({"form": form, "security_url": url_of("security")})

    @sensitive_variables()
    def delete(self) -> HttpResponseBase:
        """Call the function of the site, and end the session. Raise what that function raises."""
        form = ConfirmationForm(self.request.POST, expected=account_name(self.request))
        if not form.is_valid():
            return self.render_form(form)
        # Read before the call, because the function of the site deletes the row of the session with the user.
        principal, user = session_principal(self.request), self.request.user
        stored, claims, model = principal.stored_session, principal.claims, user.__class__
        if error := self.call_site():
            form.add_error(None, error)
            return self.render_form(form)
        account_deleted.send_robust(sender=model, request=self.request, user=user, claims=claims)
        return self.end_session(stored.tokens if stored else None)

    def call_site(self) -> ValidationError | None:
        """Call the function of the site. Return an error for the user if the account was not deleted."""
        delete_account: Callable[[HttpRequest], object] = import_string(conf.delete_account)
        try:
            delete_account(self.request)
        except ValidationError as error:
            # The site refuses in its own words.
            return error
        except (SignInRequired, SignInRefused):
            raise
        except LogtoError as error:
            logger.error("An account was not deleted: %s", error, extra={"code": error.code})
            return ValidationError(_("Your account could not be deleted. Please try again in a few minutes."))
        return None

    @sensitive_variables()
    def end_session(self, tokens: SessionTokens | None) -> HttpResponse:
        """End the session on this site and return the page that says so. Its button signs out at Logto."""
        sign_out_here(self.request)
        home = get_script_prefix()
        try:
            # Revokes the refresh token. The URL is not used: the page comes first, and then the sign-out view.
            sign_out_url(absolute_uri(self.request, home), tokens)
        except ProviderError as error:
            logger.warning("The refresh token of a deleted account was not revoked: %s", error)
        return render_page(self.request, "account/deleted.html", {"home": home})

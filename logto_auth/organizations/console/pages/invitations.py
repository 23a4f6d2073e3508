"""The page of the invitations of an organization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.organizations.console.errors import (
    ConsoleError,
    InvitationNotSent,
    NotAMember,
    NotPermitted,
)
from logto_auth.organizations.console.invitations import MAX_EMAIL_LENGTH, PENDING

from .forms import RolesForm
from .page import OrganizationPage

__all__ = ["InvitationsPage"]

# Of those that are over. Logto keeps all of them.
MAX_SHOWN_EARLIER = 20


class InvitationForm(RolesForm):
    """The address of the user to invite, and the roles they get."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=MAX_EMAIL_LENGTH,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class InvitationsPage(OrganizationPage):
    """Invite users by e-mail, send an invitation again, and revoke it."""

    template_name = "invitations.html"
    section = "invitations"
    right = "invite"
    actions = {"invite": "invite", "resend": "resend", "revoke": "revoke"}
    done_texts = {
        "invited": _("The invitation has been sent."),
        "resent": _("The invitation has been sent again."),
        "revoked": _("The invitation has been revoked. Its link is no longer valid."),
        "not-sent": InvitationNotSent.visitor_message,
        "not-changed": _("Nothing has changed. Check the list, and try again."),
    }

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Return the page."""
        return self.page(self.form())

    def page(self, form: InvitationForm) -> HttpResponse:
        """Return the page with the form and the invitations."""
        invitations = self.organization.invitations()
        earlier = [each for each in invitations if each.status != PENDING]
        return self.render(
            {
                "form": form,
                "pending": [each for each in invitations if each.status == PENDING],
                "earlier": earlier[:MAX_SHOWN_EARLIER],
                "days": conf.invitation_days,
            }
        )

    def form(self, *args: Any) -> InvitationForm:
        """Return the form with the roles that the user may give."""
        return InvitationForm(*args, grantable=self.organization.grantable_roles())

    def invite(self, **kwargs: Any) -> HttpResponseBase:
        """Send an invitation."""
        form = self.form(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                try:
                    self.organization.invite(form.cleaned_data["email"], form.cleaned_data["roles"])
                except InvitationNotSent as error:
                    return self.failed(error)
                return self.redirect("invited")
        return self.page(form)

    def resend(self, **kwargs: Any) -> HttpResponseBase:
        """Send the e-mail of an invitation again."""
        return self.change("resent", self.organization.resend)

    def revoke(self, **kwargs: Any) -> HttpResponseBase:
        """Revoke an invitation."""
        return self.change("revoked", self.organization.revoke)

    def change(self, word: str, call: Callable[[str], object]) -> HttpResponseBase:
        """Call a method for the invitation of the form, and return the redirect, also if the console refuses."""
        try:
            call(self.request.POST.get("invitation", ""))
        except ConsoleError as error:
            if isinstance(error, NotPermitted | NotAMember):
                raise
            return self.failed(error)
        return self.redirect(word)

    def failed(self, error: ConsoleError) -> HttpResponseBase:
        """Return the redirect that shows why nothing, or not everything, was done."""
        self.log(error)
        word = "not-sent" if isinstance(error, InvitationNotSent) else "not-changed"
        return self.redirect(word, text=self.form_text(error), level=messages.ERROR)

"""The page of the invitations of an organization."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError
from logto_auth.organizations.console.errors import InvitationNotSent
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
    page_errors = (*OrganizationPage.page_errors, InvitationNotSent)
    actions = {"invite": "invite", "resend": "resend", "revoke": "revoke"}
    done_texts = {
        "invited": _("The invitation has been sent."),
        "resent": _("The invitation has been sent again."),
        "revoked": _("The invitation has been revoked. Its link is no longer valid."),
        "not-sent": InvitationNotSent.visitor_message,
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
                self.organization.invite(form.cleaned_data["email"], form.cleaned_data["roles"])
                return self.redirect("invited")
        return self.page(form)

    def resend(self, **kwargs: Any) -> HttpResponseBase:
        """Send the e-mail of an invitation again."""
        return self.redirect_after("resent", partial(self.organization.resend, self.invitation_id))

    def revoke(self, **kwargs: Any) -> HttpResponseBase:
        """Revoke an invitation."""
        return self.redirect_after("revoked", partial(self.organization.revoke, self.invitation_id))

    @property
    def invitation_id(self) -> str:
        """The invitation of the button that was pressed."""
        return self.request.POST.get("invitation", "")

    def error_response(self, error: LogtoError) -> HttpResponseBase:
        """Return the response for an error that no form shows: the list has an invitation that was not sent."""
        if isinstance(error, InvitationNotSent):
            self.log(error)
            return self.redirect("not-sent", text=self.form_text(error), level=messages.ERROR)
        return super().error_response(error)

"""The pages about an organization as a whole: its overview, leaving it, and deleting it."""

from __future__ import annotations

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from .forms import ConfirmationForm, DeleteForm, NameForm
from .page import OrganizationPage

__all__ = ["DeletePage", "LeavePage", "OverviewPage"]


class OverviewPage(OrganizationPage):
    """Show the organization and the user's roles in it, and rename it."""

    template_name = "overview.html"
    section = "overview"
    actions = {"rename": "rename"}
    done_texts = {"renamed": _("The organization has been renamed.")}

    def get(self, request: HttpRequest, organization_id: str) -> HttpResponse:
        """Return the page."""
        return self.page(NameForm(initial={"name": self.organization.name}))

    def page(self, form: NameForm) -> HttpResponse:
        """Return the page with the form for the name, if the user may rename the organization."""
        may = self.organization.may
        return self.render(
            {
                "form": form if may("rename") else None,
                "leave_url": self.url_of("leave"),
                "delete_url": self.url_of("delete") if may("delete") else "",
            }
        )

    def rename(self, organization_id: str) -> HttpResponseBase:
        """Rename the organization."""
        self.organization.require("rename")
        form = NameForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                self.organization.rename(form.cleaned_data["name"])
                return self.redirect("renamed")
        return self.page(form)


class LeavePage(OrganizationPage):
    """End the membership of the user, after a confirmation."""

    template_name = "leave.html"
    section = "overview"
    allows_impersonation = False
    actions = {"leave": "leave"}
    done_texts = {"left": _("You have left the organization.")}

    def get(self, request: HttpRequest, organization_id: str) -> HttpResponse:
        """Return the page."""
        return self.page(ConfirmationForm())

    def page(self, form: Form) -> HttpResponse:
        """Return the page with the form."""
        return self.render({"form": form, "back_url": self.url_of("overview")})

    def leave(self, organization_id: str) -> HttpResponseBase:
        """Leave the organization. Members who are gone cannot see its pages, so the list is next."""
        form = ConfirmationForm({})
        with self.form_errors(form):
            self.organization.leave()
            return self.redirect("left", self.away_url)
        return self.page(form)


class DeletePage(OrganizationPage):
    """Delete the organization, after the user has typed its name."""

    template_name = "delete.html"
    section = "overview"
    allows_impersonation = False
    right = "delete"
    actions = {"delete": "delete"}
    done_texts = {"deleted": _("The organization has been deleted.")}

    def get(self, request: HttpRequest, organization_id: str) -> HttpResponse:
        """Return the page."""
        return self.page(DeleteForm(expected=self.organization.name))

    def page(self, form: DeleteForm) -> HttpResponse:
        """Return the page with the form."""
        return self.render({"form": form, "back_url": self.url_of("overview")})

    def delete(self, organization_id: str) -> HttpResponseBase:
        """Delete the organization."""
        form = DeleteForm(self.request.POST, expected=self.organization.name)
        if form.is_valid():
            with self.form_errors(form):
                self.organization.delete()
                return self.redirect("deleted", self.away_url)
        return self.page(form)

"""The pages about no organization yet: the list of the user's organizations, and the form for a new one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from logto_auth.organizations.console.errors import NotPermitted

from .forms import CreateForm
from .page import ConsolePage, url_of

__all__ = ["CreatePage", "ListPage"]


class ListPage(ConsolePage):
    """List the organizations of the user."""

    template_name = "list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        organizations = [(each, self.overview_url(each.id)) for each in self.console.organizations()]
        return self.render(
            {"organizations": organizations, "create_url": url_of("create") if self.console.may_create else ""}
        )


class CreatePage(ConsolePage):
    """Create an organization, whose owner the user becomes."""

    template_name = "create.html"
    allows_impersonation = False
    actions = {"create": "create"}
    done_texts = {"created": _("The organization has been created. You are its owner.")}

    def check(self) -> HttpResponseBase | None:
        """Return None if the user may create organizations. Raise NotPermitted."""
        if refusal := super().check():
            return refusal
        if not self.console.may_create:
            raise NotPermitted("The user may not create organizations.")
        return None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        return self.render({"form": CreateForm()})

    def create(self) -> HttpResponseBase:
        """Create the organization."""
        form = CreateForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                created = self.console.create(form.cleaned_data["name"], key=form.cleaned_data["key"])
                url = self.overview_url(created.id) or self.away_url
                return self.redirect_with_rights("created", url, roles=created.roles)
        return self.render({"form": form})

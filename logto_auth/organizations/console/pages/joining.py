"""The page of just-in-time members: who joins an organization without an invitation, and with which roles."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from logto_auth.organizations.console.console import Joining
from logto_auth.organizations.console.domains import MAX_DOMAIN_LENGTH
from logto_auth.organizations.console.errors import ChangedMeanwhile

from .forms import RolesForm
from .page import OrganizationPage

__all__ = ["JoiningPage"]


class DomainForm(forms.Form):
    """The e-mail domain to add. The console checks it."""

    domain = forms.CharField(
        label=_("E-mail domain"),
        max_length=MAX_DOMAIN_LENGTH,
        help_text=_("What comes after the @, such as example.com."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class JoiningPage(OrganizationPage):
    """Set e-mail domains, enterprise SSO connectors and default roles of just-in-time members."""

    template_name = "joining.html"
    section = "joining"
    right = "manage_joining"
    actions = {
        "add-domain": "add_domain",
        "remove-domain": "remove_domain",
        "link-connector": "link_connector",
        "unlink-connector": "unlink_connector",
        "set-roles": "set_roles",
    }
    done_texts = {
        "domain-added": _("The e-mail domain has been added."),
        "domain-removed": _("The e-mail domain has been removed. Its members stay."),
        "connector-linked": _("The company account has been linked."),
        "connector-unlinked": _("The company account has been unlinked. Its members stay."),
        "default-roles": _("The default roles have been saved."),
    }

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Return the page."""
        return self.page()

    @cached_property
    def joining(self) -> Joining:
        """Who joins now."""
        return self.organization.joining()

    @cached_property
    def fixed_roles(self) -> list[str]:
        """The default roles of now that the user may not change."""
        grantable = {role.name for role in self.organization.grantable_roles()}
        return [name for name in self.joining.roles if name not in grantable]

    def page(self, *, domain_form: DomainForm | None = None, roles_form: RolesForm | None = None) -> HttpResponse:
        """Return the page, with a form that has errors in place of a new one."""
        return self.render(
            {
                "joining": self.joining,
                "domain_form": domain_form or DomainForm(),
                "roles_form": roles_form or self.roles_form(initial={"roles": list(self.joining.roles)}),
                "fixed_roles": self.fixed_roles,
            }
        )

    def roles_form(self, *args: Any, **kwargs: Any) -> RolesForm:
        """Return the form for the default roles that the user may give."""
        return RolesForm(*args, grantable=self.organization.grantable_roles(), **kwargs)

    def add_domain(self, **kwargs: Any) -> HttpResponseBase:
        """Add an e-mail domain."""
        form = DomainForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                self.organization.add_domain(form.cleaned_data["domain"])
                return self.redirect("domain-added")
        return self.page(domain_form=form)

    def remove_domain(self, **kwargs: Any) -> HttpResponseBase:
        """Remove an e-mail domain."""
        return self.redirect_after("domain-removed", partial(self.organization.remove_domain, self.posted("domain")))

    def link_connector(self, **kwargs: Any) -> HttpResponseBase:
        """Link an enterprise SSO connector."""
        return self.redirect_after(
            "connector-linked", partial(self.organization.link_connector, self.posted("connector"))
        )

    def unlink_connector(self, **kwargs: Any) -> HttpResponseBase:
        """Unlink an enterprise SSO connector."""
        return self.redirect_after(
            "connector-unlinked", partial(self.organization.unlink_connector, self.posted("connector"))
        )

    def set_roles(self, **kwargs: Any) -> HttpResponseBase:
        """Set the default roles. Those that the user may not give stay."""
        form = self.roles_form(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                if sorted(self.request.POST.getlist("before")) != sorted(self.joining.roles):
                    raise ChangedMeanwhile("The default roles are others than those that the form has shown.")
                self.organization.set_default_roles([*self.fixed_roles, *form.cleaned_data["roles"]])
                return self.redirect("default-roles")
        return self.page(roles_form=form)

    def posted(self, name: str) -> str:
        """Return the value of a hidden field."""
        return self.request.POST.get(name, "")

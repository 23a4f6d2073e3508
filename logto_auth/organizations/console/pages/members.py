"""The pages about members: the list with its search, and one member, whose roles change here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms.utils import ErrorList
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from logto_auth.organizations.console.console import Member
from logto_auth.organizations.console.errors import ChangedMeanwhile, MemberGone
from logto_auth.organizations.console.members import MAX_SEARCH_LENGTH
from logto_auth.sign_in.next_url import with_query

from .forms import ConfirmationForm, RolesForm
from .page import OrganizationPage

__all__ = ["MemberPage", "MembersPage"]

MAX_PAGE_DIGITS = 6


class MembersPage(OrganizationPage):
    """List the members, page by page."""

    template_name = "members.html"
    section = "members"
    right = "view_members"

    def get(self, request: HttpRequest, organization_id: str) -> HttpResponseBase:
        """Return the page of `?page=`, of the members that `?q=` finds."""
        search = searched(request.GET.get("q", ""))
        page = self.organization.members(search=search, page=page_number(request.GET.get("page", "")))
        if page.number > page.last_number:
            return HttpResponseRedirect(self.url_of_page(page.last_number, search))
        return self.render(
            {
                "members": [(each, self.url_of("member", each.id)) for each in page.members],
                "page": page,
                "search": search,
                "previous_url": self.url_of_page(page.number - 1, search) if page.number > 1 else "",
                "next_url": self.url_of_page(page.number + 1, search) if page.number < page.last_number else "",
                "invitations_url": self.url_of("invitations") if self.organization.may("invite") else "",
            }
        )

    def url_of_page(self, number: int, search: str) -> str:
        """Return the URL of a page of the same search."""
        query = {**({"q": search} if search else {}), **({"page": str(number)} if number > 1 else {})}
        return with_query(self.url, query) if query else self.url


class MemberPage(OrganizationPage):
    """Show a member. Change their roles, and remove them, if the user may."""

    template_name = "member.html"
    section = "members"
    right = "view_members"
    actions = {"roles": "save_roles", "remove": "remove"}
    done_texts = {
        "roles-saved": _("The roles have been saved."),
        "removed": _("The member has been removed from the organization."),
        "gone": MemberGone.visitor_message,
    }

    @cached_property
    def member(self) -> Member:
        """The member of the URL. Raise MemberGone."""
        return self.organization.member(self.kwargs["user_id"])

    def get(self, request: HttpRequest, organization_id: str, user_id: str) -> HttpResponse:
        """Return the page."""
        return self.page()

    def page(self, form: RolesForm | None = None, *, removal_errors: ErrorList | None = None) -> HttpResponse:
        """Return the page with `form`, or a new one. `removal_errors` are why the member was not removed."""
        member, grantable = self.member, self.organization.grantable_roles()
        names = {role.name for role in grantable}
        return self.render(
            {
                "member": member,
                "form": (form or RolesForm(grantable=grantable, initial={"roles": list(member.roles)}))
                if member.may_change
                else None,
                "fixed_roles": [role for role in member.roles if role not in names],
                "removal_form": ConfirmationForm() if member.may_remove else None,
                "removal_errors": removal_errors or "",
                "leave_url": self.url_of("leave") if member.is_self else "",
                "members_url": self.url_of("members"),
            }
        )

    @property
    def list_of_members(self) -> str:
        """The URL of the page to show when there is no such member any more."""
        return self.url_of("members") or self.url_of("overview") or self.away_url

    def save_roles(self, organization_id: str, user_id: str) -> HttpResponseBase:
        """Give the member the chosen roles. Those that the user may not grant stay."""
        self.organization.require("manage_members")
        grantable = self.organization.grantable_roles()
        form = RolesForm(self.request.POST, grantable=grantable)
        if not form.is_valid():
            return self.page(form)
        before = self.request.POST.getlist("before")
        # One that has just left the organization template is gone with it.
        fixed = {role.name for role in self.organization.all_roles() if role not in grantable}.intersection(before)
        roles = sorted({*fixed, *form.cleaned_data["roles"]})
        with self.form_errors(form):
            try:
                member = self.organization.set_roles(user_id, roles, before=before)
            except ChangedMeanwhile:
                # The page shows the roles of now, and what the user has chosen.
                self.__dict__.pop("member", None)
                raise
            if member.is_self:
                # The user may have given up the right to see this page.
                gained = set(member.roles) - set(before)
                return self.redirect_with_rights("roles-saved", self.url_of("overview") or self.away_url, roles=gained)
            return self.redirect("roles-saved")
        return self.page(form)

    def remove(self, organization_id: str, user_id: str) -> HttpResponseBase:
        """End the membership."""
        self.organization.require("manage_members")
        form = ConfirmationForm({})
        try:
            with self.form_errors(form):
                self.organization.remove(user_id)
                return self.redirect("removed", self.list_of_members)
        except MemberGone:
            return self.redirect("gone", self.list_of_members, level=messages.INFO)
        return self.page(removal_errors=form.non_field_errors())


def searched(text: str) -> str:
    """Return what the user searches for, without what Logto's database refuses."""
    return "".join(character for character in text if character.isprintable())[:MAX_SEARCH_LENGTH].strip()


def page_number(text: Any) -> int:
    """Return the number of a page from 1; 1 if the text is none."""
    is_number = text.isascii() and text.isdecimal() and len(text) <= MAX_PAGE_DIGITS
    return max(1, int(text)) if is_number else 1

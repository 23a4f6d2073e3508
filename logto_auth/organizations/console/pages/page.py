"""What all pages of the console have in common: who may open them, navigation, and what happens if something fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.memberships.current import requested_organization_id
from logto_auth.navigation import is_from_script
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.organizations.console.console import Console, ManagedOrganization
from logto_auth.organizations.console.errors import ConsoleError, Incomplete, MemberGone, NotAMember, NotPermitted
from logto_auth.pages.managed import ManagedPage
from logto_auth.pages.navigation import NavigationEntry, optional_url
from logto_auth.pages.texts import PageText
from logto_auth.sign_in.start import redirect_to_logto

from .texts import CONSOLE_IS_OFF, NOT_MANAGED, error_text, page_text

__all__ = ["ConsolePage", "OrganizationPage", "url_of"]

logger = logging.getLogger("logto_auth")

# Name of the URL, label, and the right without which the user does not see it; "" for each member.
TABS: tuple[tuple[str, str | Promise, str], ...] = (
    ("overview", _("Overview"), ""),
    ("members", _("Members"), "view_members"),
    ("invitations", _("Invitations"), "invite"),
    ("joining", _("Joining"), "manage_joining"),
)


# The word of the text after a button that has changed nothing.
NOTHING_CHANGED = "nothing-changed"


class Link(NamedTuple):
    """A link of an error page."""

    url: str
    label: str | Promise


class ConsolePage(ManagedPage):
    """A page of the console.

    A subclass calls `self.console`, and lets errors propagate, which become pages here. A form calls it inside
    `form_errors`, so that what the user typed stays. There is no such page on a site whose console is not set up.
    """

    folder = "organizations"
    log_name = "Organization page"
    not_managed = NOT_MANAGED
    not_set_up_text = CONSOLE_IS_OFF
    # After Incomplete, the same form finishes.
    repeatable = (Incomplete, *ManagedPage.repeatable)
    page_errors = (*ManagedPage.page_errors, Incomplete, MemberGone, NotAMember, NotPermitted)
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}
    done_texts = {NOTHING_CHANGED: _("Nothing has changed. Check the page, and try again.")}

    def check(self) -> HttpResponseBase | None:
        """Return None if the site has a console, else the page that says that it has none."""
        try:
            self.console  # noqa: B018
        except ConfigurationError as error:
            return self.not_set_up(error, status=HTTPStatus.NOT_FOUND)
        return None

    @cached_property
    def console(self) -> Console:
        """The console for the user of the request. Raise ConfigurationError."""
        return Console(self.request)

    @property
    def list_url(self) -> str:
        """The URL path of the list of organizations, "" if the site has left it out."""
        return url_of("list")

    def overview_url(self, organization_id: str) -> str:
        """Return the URL path of an organization.

        Return "" if the site has left the page out, or if the host or another part of the request selects another
        organization: on a subdomain, only one organization has pages.
        """
        is_open_here = requested_organization_id(self.request) in (None, organization_id)
        return url_of("overview", organization_id) if is_open_here else ""

    @property
    def away_url(self) -> str:
        """The URL of the page to show when the user can no longer see that of the organization."""
        return self.list_url or resolve_url(settings.LOGIN_REDIRECT_URL)

    def render_template(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Return a page from a template of the console, inside the navigation."""
        return super().render_template(template, {"list_url": self.list_url, **context}, status=status)

    def redirect_after(self, word: str, call: Callable[[], object]) -> HttpResponseBase:
        """Make a change for which the page has only a button, and return the redirect to the page.

        It shows the text of `word`, or why the console refuses. Raise other errors, and the `page_errors`.
        """
        try:
            call()
        except ConsoleError as error:
            if isinstance(error, self.page_errors):
                raise
            self.log(error)
            return self.redirect(NOTHING_CHANGED, text=self.form_text(error), level=messages.ERROR)
        return self.redirect(word)

    def redirect_with_rights(self, word: str, url: str, *, roles: Collection[str]) -> HttpResponseBase:
        """Return the redirect to `url`, where the text of `word` is shown, after the user has got these roles.

        It leads through Logto, without showing anything, if the roles have permissions of API resources of the site:
        Logto gives these to a session at a sign-in only.
        """
        response = self.redirect(word, url)
        try:
            # A script could not follow the redirect to another origin.
            if not is_from_script(self.request) and self.console.needs_round_trip(roles):
                options = SignInOptions(prompt="none")
                return redirect_to_logto(self.request, next_url=response.url, options=options, is_silent=True)
        except LogtoError as error:
            # The change is done. The permissions follow at the next sign-in.
            self.log(error)
        return response

    # Errors

    def page_text(self, error: LogtoError) -> PageText:
        """Return the texts of the page for `error`."""
        return page_text(error, is_form=self.request.method == "POST")

    def error_text(self, error: LogtoError) -> str:
        """Return the sentence that a form shows for `error`."""
        return str(error_text(error))

    def error_links(self, error: LogtoError | None) -> list[Link]:
        """Return where the page for `error` leads, beside the home page. It calls no Logto.

        Without an error, the site or the user can have no page of the console.
        """
        return [] if error is None else links((self.list_url, _("Your organizations")))

    def error_page(
        self, text: PageText, *, status: int, error: LogtoError | None = None, reference: str = "", **context: Any
    ) -> HttpResponse:
        """Return a page that says what went wrong. It calls no Logto."""
        context = {"links": self.error_links(error), **context}
        return super().error_page(text, status=status, error=error, reference=reference, **context)


class OrganizationPage(ConsolePage):
    """A page about one organization, which the URL names."""

    right: ClassVar[str] = ""
    """The right without which there is no page, a name of `OrganizationConsole.guards`; "" for each member."""

    def check(self) -> HttpResponseBase | None:
        """Return None if the user is a member now and has the right. Raise NotAMember, NotPermitted."""
        if refusal := super().check():
            return refusal
        if self.right:
            self.organization.require(self.right)
        return None

    @cached_property
    def organization(self) -> ManagedOrganization:
        """The organization of the URL, by calls to Logto. Raise NotAMember."""
        return self.console.organization(self.kwargs["organization_id"])

    def url_of(self, name: str, *args: str) -> str:
        """Return the URL path of a page about this organization, "" if the site has left it out."""
        return url_of(name, self.kwargs["organization_id"], *args)

    def error_links(self, error: LogtoError | None) -> list[Link]:
        """Return where the page for `error` leads: also to the organization, if the user is a member."""
        of_organization = []
        if isinstance(error, NotPermitted) and self.section != "overview":
            of_organization.append((self.url_of("overview"), _("Overview")))
        if isinstance(error, MemberGone):
            of_organization.append((self.url_of("members"), _("Members")))
        return [*links(*of_organization), *super().error_links(error)]

    def navigation(self) -> list[NavigationEntry]:
        """Return the links to the pages that the user may open."""
        return [
            NavigationEntry(name, label, url, name == self.section)
            for name, label, right in TABS
            if (not right or self.organization.may(right)) and (url := self.url_of(name))
        ]

    def render_template(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Return a page from a template of the console, inside the navigation."""
        return super().render_template(template, {"organization": self.organization, **context}, status=status)


def url_of(name: str, *args: str) -> str:
    """Return the URL path of a page of the console, "" if the site has left that page out."""
    return optional_url(f"logto_organizations:{name}", *args)


def links(*found: tuple[str, str | Promise]) -> list[Link]:
    """Return links to the pages that the site has: pairs of URL and label."""
    return [Link(url, label) for url, label in found if url]

"""What all pages of the account centre have in common: who may open them, and what happens if something fails."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from django.utils.functional import Promise, cached_property

from logto_auth.account_api.types import Account, AccountCenter
from logto_auth.clients import is_sign_in_experience_known, known_account_center
from logto_auth.exceptions import (
    AccountCenterDisabled,
    AccountScopeMissing,
    FieldNotEditable,
    LogtoError,
    VerificationRequired,
)
from logto_auth.navigation import is_from_script
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.pages.navigation import NavigationEntry
from logto_auth.pages.page import SignedInPage
from logto_auth.pages.texts import PageText
from logto_auth.sessions.account import SessionAccount
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.public_settings import account_center
from logto_auth.sign_in.next_url import with_query
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import redirect_to_logto

from .error_texts import NOT_MANAGED, form_text, page_text, remedy
from .navigation import navigation_entries
from .verification import verification_response

__all__ = ["AccountPage"]

# Marks the URL of a page after the round trip for its scopes, so that there is only one.
SCOPES_REQUESTED = "scopes_requested"

UNKNOWN_CENTER: AccountCenter = {
    "enabled": True,
    "fields": {"password": "Edit", "social": "Edit", "session": "Edit"},
}


class AccountPage(SignedInPage):
    """A page of the account centre, for a user who is signed in through Logto.

    A subclass writes `get` and the methods of `actions`, and lets errors of `self.account` propagate: they become pages
    here. A form that wants to show an error beside its fields calls Logto inside `form_errors`. Errors that no form can
    show lead to the verification of the user, to Logto, or to the sign-in.
    """

    allows_impersonation = False
    scopes: ClassVar[tuple[str, ...]] = ("profile",)
    """The scopes without which the page shows nothing."""
    field: ClassVar[str] = ""
    """The field of the account center that must not be Off."""
    needs_center: ClassVar[bool] = True
    """Whether there is no page if the settings of the account center cannot be fetched."""
    uses_sign_in_experience: ClassVar[bool] = False
    """Whether the page needs the settings of the sign-in page too."""

    folder = "account"
    log_name = "Account page"
    not_managed = NOT_MANAGED
    page_errors = (*SignedInPage.page_errors, AccountScopeMissing, VerificationRequired)
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}

    def check(self) -> HttpResponseBase | None:
        """Return None if the page may be shown, else the response to send instead. Raise LogtoError."""
        if not self.account.has_scopes(*self.scopes):
            return self.scopes_response([scope for scope in self.scopes if not self.account.has_scopes(scope)])
        if self.request.method == "POST":
            # Logto itself refuses a change. An error here would lose what the user typed.
            return None
        if not self.center["enabled"]:
            raise AccountCenterDisabled("This page needs the account center of Logto.")
        if self.field and self.permission(self.field) == "Off":
            raise FieldNotEditable(f"The field {self.field} of the account center is Off.", field=self.field)
        return None

    # Logto

    @property
    def account(self) -> SessionAccount:
        """The Account API with the tokens of the session."""
        return session_principal(self.request).account

    @cached_property
    def user_account(self) -> Account:
        """The user's account at Logto, by one call. Raise LogtoError."""
        return self.account.get()

    @property
    def center(self) -> AccountCenter:
        """The public settings of the account center. Raise ProviderError.

        No page makes more than two calls. If a page needs other settings that are not in the cache, and these are not
        either, all fields count as Edit: Logto leaves out what is Off, and refuses what is not Edit.
        """
        if isinstance(self._center, LogtoError):
            raise self._center
        return self._center

    @cached_property
    def _center(self) -> AccountCenter | LogtoError:
        # The error is kept, too: a page waits only once for a Logto that does not respond.
        if self.uses_sign_in_experience and self.request.method == "GET" and not is_sign_in_experience_known():
            return known_account_center() or UNKNOWN_CENTER
        try:
            return account_center()
        except LogtoError as error:
            return error

    @cached_property
    def permissions(self) -> Mapping[str, str] | None:
        """The permissions of the fields; None if they cannot be fetched, and the page needs none or answers a form."""
        try:
            return cast(Mapping[str, str], self.center["fields"])
        except LogtoError:
            if self.needs_center and self.request.method != "POST":
                raise
            return None

    @cached_property
    def shown_account(self) -> Mapping[str, Any]:
        """The user's account at Logto; empty if Logto does not respond, and this is the response to a form."""
        try:
            return self.user_account
        except LogtoError:
            if self.request.method != "POST":
                raise
            return {}

    def permission(self, field: str) -> str:
        """Return the permission of a field of the account center: Off, ReadOnly or Edit."""
        return "Edit" if self.permissions is None else self.permissions.get(field, "Off")

    def may_edit(self, field: str) -> bool:
        """Return whether users may change the field."""
        return self.permission(field) == "Edit"

    # Responses

    def navigation(self) -> list[NavigationEntry]:
        """Return the links to the pages that the site has and the account center shows."""
        return navigation_entries(self.permission, self.section)

    def page_text(self, error: LogtoError) -> PageText:
        """Return the texts of the page for `error`."""
        return page_text(error)

    def error_text(self, error: LogtoError) -> str:
        """Return the sentence that a form shows for `error`."""
        return form_text(error)

    def remedy(self, error: LogtoError) -> str | Promise:
        """Return what the operator does about `error`, "" if there is nothing to do."""
        return page_text(error).remedy if isinstance(error, AccountScopeMissing) else remedy(error)

    def error_response(self, error: LogtoError) -> HttpResponseBase:
        """Return the response for an error of Logto that no form shows."""
        if isinstance(error, VerificationRequired):
            return self.verification_response()
        if isinstance(error, AccountScopeMissing):
            return self.scopes_response(error.scopes)
        return super().error_response(error)

    def require_verification(self, *, next_url: str = "", unless_impossible: bool = False) -> HttpResponseBase | None:
        """Return None if the user has proved who they are in the last minutes, else the response that asks for it.

        `unless_impossible` is for changes that Logto allows a user without password, e-mail address and phone number.
        Then this may call Logto.
        """
        if self.account.is_verified:
            return None
        if unless_impossible and not self.user_account.get("hasSecurityVerificationMethod", True):
            return None
        return self.verification_response(next_url)

    def verification_response(self, next_url: str = "") -> HttpResponseBase:
        """Return the response for a user who has to prove who they are: then they return to `next_url`, or here."""
        return verification_response(self.request, next_url or self.url)

    def scopes_response(self, scopes: Any) -> HttpResponseBase:
        """Return the redirect to Logto that asks for `scopes`; the page that names them if Logto did not give them."""
        missing = sorted(scopes)
        if self.request.method != "GET" or is_from_script(self.request) or SCOPES_REQUESTED in self.request.GET:
            reference = secrets.token_hex(4)
            self.log(AccountScopeMissing("The session lacks scopes: " + ", ".join(missing), scopes=missing), reference)
            context = {
                "scopes": missing,
                "reference": reference,
                "try_again_url": self.url,
                "user": self.request.user,
            }
            return render_page(self.request, "account/missing_scopes.html", context, status=403)
        options = SignInOptions(prompt="none", scopes=tuple(missing))
        next_url = with_query(self.url, {**self.request.GET.dict(), SCOPES_REQUESTED: "1"})
        return redirect_to_logto(self.request, next_url=next_url, options=options, is_silent=True)

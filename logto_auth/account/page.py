"""What all pages of the account centre have in common: who may open them, and what happens if something fails."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, cast

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.functional import Promise, cached_property
from django.utils.translation import override
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import View

from logto_auth.access.responses import page_of_request, prefetch_response
from logto_auth.account_api.types import Account, AccountCenter
from logto_auth.clients import is_sign_in_experience_known, known_account_center
from logto_auth.exceptions import (
    AccountCenterDisabled,
    AccountScopeMissing,
    FieldNotEditable,
    LogtoError,
    ProviderError,
    SignInRefused,
    SignInRequired,
    TokenError,
    VerificationRequired,
)
from logto_auth.navigation import is_from_script, is_prefetch
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.account import SessionAccount
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.public_settings import account_center
from logto_auth.sign_in.next_url import with_query
from logto_auth.sign_in.page import add_headers, render_page
from logto_auth.sign_in.start import redirect_to_logto

from .error_texts import NOT_MANAGED, PageText, form_text, page_text, remedy
from .navigation import NavigationEntry, navigation_entries
from .notices import has_messages
from .verification import verification_response

__all__ = ["AccountPage", "refresh_claims"]

logger = logging.getLogger("logto_auth")

# Marks the URL of a page after the round trip for its scopes, so that there is only one.
SCOPES_REQUESTED = "scopes_requested"
# Errors that a form cannot show.
PAGE_ERRORS = (AccountScopeMissing, SignInRefused, SignInRequired, TokenError, VerificationRequired)
# The name of the finished change, for sites without `django.contrib.messages`.
DONE = "done"


UNKNOWN_CENTER: AccountCenter = {
    "enabled": True,
    "fields": {"password": "Edit", "social": "Edit", "session": "Edit"},
}


@method_decorator([csrf_protect, sensitive_post_parameters()], name="dispatch")
class AccountPage(View):
    """A page of the account centre, for a user who is signed in through Logto.

    A subclass writes `get` and the methods of `actions`, and lets errors of `self.account` propagate: they become pages
    here. A form that wants to show an error beside its fields calls Logto inside `form_errors`.
    """

    template_name: ClassVar[str]
    """The template, below `logto_auth/account/`."""
    section: ClassVar[str] = ""
    """The entry of the navigation that is marked."""
    scopes: ClassVar[tuple[str, ...]] = ("profile",)
    """The scopes without which the page shows nothing."""
    field: ClassVar[str] = ""
    """The field of the account center that must not be Off."""
    needs_center: ClassVar[bool] = True
    """Whether there is no page if the settings of the account center cannot be fetched."""
    uses_sign_in_experience: ClassVar[bool] = False
    """Whether the page needs the settings of the sign-in page too."""
    actions: ClassVar[dict[str, str]] = {}
    """The methods that process a form, by the value of its button `action`. "" is for a form without this value."""
    done_texts: ClassVar[dict[str, str | Promise]] = {}
    """What a page says after a change, by a word that `done` passes. The next page may be another one."""
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        AccountPage.all_done_texts.update(cls.done_texts)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the page, or the page or redirect for a user who cannot have it."""
        response = self._respond(request, *args, **kwargs)
        add_headers(response)
        return response

    # Values of forms, such as passwords, are local variables in functions of Django too.
    @sensitive_variables()
    def _respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_prefetch(request):
            return prefetch_response()
        if not request.user.is_authenticated:
            return redirect_to_login(self.page_url)
        if not session_principal(request).is_authenticated:
            return self.error_page(NOT_MANAGED, status=403)
        try:
            return self.check() or super().dispatch(request, *args, **kwargs)
        except LogtoError as error:
            return self.error_response(error)

    def check(self) -> HttpResponseBase | None:
        """Return None if the page may be shown, else the response to send instead. Raise LogtoError."""
        if not self.account.has_scopes(*self.scopes):
            return self.scopes_response([scope for scope in self.scopes if not self.account.has_scopes(scope)])
        if self.request.method == "POST":
            # Logto itself refuses a change. An error here would lose what the user typed.
            return None
        if not self.center["enabled"]:
            raise AccountCenterDisabled("The account center of Logto is off.")
        if self.field and self.permission(self.field) == "Off":
            raise FieldNotEditable(f"The field {self.field} of the account center is Off.", field=self.field)
        return None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Call the method of the button that was pressed."""
        name = self.actions.get(request.POST.get("action", ""))
        if name is None:
            return HttpResponseRedirect(self.url)
        process: Callable[..., HttpResponseBase] = getattr(self, name)
        return process(*args, **kwargs)

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

    @property
    def url(self) -> str:
        """The URL path of this page without a query."""
        return self.request.path

    @property
    def page_url(self) -> str:
        """The URL of the page to show after a sign-in."""
        return page_of_request(self.request)

    def render(self, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """Return the page."""
        return self.render_template(self.template_name, context or {}, status=status)

    def render_template(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Return a page from a template below `logto_auth/account/`, inside the navigation."""
        done = self.all_done_texts.get(self.request.GET.get(DONE, ""))
        context = {
            "navigation": self.navigation(),
            "messages": messages.get_messages(self.request),
            "notices": [done] if done and not has_messages(self.request) else [],
            "user": self.request.user,
            **context,
        }
        return render_page(self.request, f"account/{template}", context, status=status)

    def navigation(self) -> list[NavigationEntry]:
        """Return the links to the pages that the site has and the account center shows."""
        return navigation_entries(self.permission, self.section)

    def done(self, word: str, url: str = "", *, text: str = "") -> HttpResponseRedirect:
        """Return the redirect to this page, or to `url`, after a change at Logto, whose claims are fetched again.

        The next page shows `text`, else that of `word` in `done_texts`; always the latter if the site does not use
        `django.contrib.messages`. Raise SignInRequired or SignInRefused if the session has ended.
        """
        refresh_claims(self.request)
        return self.redirect(word, url, text=text)

    def redirect(
        self, word: str, url: str = "", *, text: str = "", level: int = messages.SUCCESS
    ) -> HttpResponseRedirect:
        """Return the redirect to this page, or to `url`, where a text is shown: see `done`."""
        url = url or self.url
        if has_messages(self.request):
            messages.add_message(self.request, level, text or str(self.done_texts[word]))
        else:
            url = with_query(url, {DONE: word})
        return HttpResponseRedirect(url)

    @contextmanager
    def form_errors(self, form: BaseForm, field: str | None = None, *, field_of_error: bool = True) -> Iterator[None]:
        """Show an error of Logto in `form`: beside the field that it names, else beside `field`, else above all fields.

        Without `field_of_error`, the field that the error names does not count.
        Errors that no form can show are raised: they lead to the verification of the user, to Logto, or to the sign-in.
        """
        try:
            yield
        except LogtoError as error:
            if isinstance(error, PAGE_ERRORS):
                raise
            self.log(error)
            named = getattr(error, "field", "")
            form.add_error(named if field_of_error and named in form.fields else field, self.form_text(error))

    @property
    def is_for_staff(self) -> bool:
        """Whether the page may show remedies. A user model need not have `is_staff`."""
        return bool(getattr(self.request.user, "is_staff", False))

    def form_text(self, error: LogtoError) -> str:
        """Return the sentence for a form. Staff also see the remedy."""
        text = form_text(error)
        advice = remedy(error)
        return f"{text} {advice}" if advice and self.is_for_staff else text

    def log(self, error: LogtoError, reference: str = "-") -> None:
        """Log one line: an error if the operator has to act, else information."""
        advice = remedy(error) or (page_text(error).remedy if isinstance(error, AccountScopeMissing) else "")
        level = logging.ERROR if advice or error.status >= 500 else logging.INFO
        # The log has one language, whatever that of the page is.
        with override("en"):
            logger.log(
                level,
                "Account page: %s (%s, reference %s)%s",
                error,
                error.code,
                reference,
                f" {advice}" if advice else "",
                extra={"code": error.code},
            )

    def error_response(self, error: LogtoError) -> HttpResponseBase:
        """Return the response for an error of Logto that no form shows."""
        if isinstance(error, VerificationRequired):
            return self.verification_response()
        if isinstance(error, AccountScopeMissing):
            return self.scopes_response(error.scopes)
        if isinstance(error, SignInRequired | SignInRefused | TokenError):
            # The session has ended at Logto, or the site refuses the user.
            return end_session(self.request, error) or redirect_to_login(self.page_url)
        reference = secrets.token_hex(4)
        self.log(error, reference)
        response = self.error_page(page_text(error), status=error.status, error=error, reference=reference)
        if isinstance(error, ProviderError) and error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response

    def error_page(
        self, text: PageText, *, status: int, error: LogtoError | None = None, reference: str = ""
    ) -> HttpResponse:
        """Return a page that says why there are no settings. It calls no Logto."""
        advice = (error and remedy(error)) or text.remedy
        return render_page(
            self.request,
            "account/unavailable.html",
            {
                "title": text.title,
                "text": text.text,
                "remedy": advice if self.is_for_staff else "",
                "code": error.code if error else "",
                "reference": reference,
                "try_again_url": self.url if error else "",
                "user": self.request.user,
            },
            status=status,
        )

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


def refresh_claims(request: HttpRequest) -> None:
    """Fetch new claims after a change at Logto, so that the claims of the session and the Django user follow.

    The change is done, so a problem is only logged. Raise SignInRequired or SignInRefused if the session has ended.
    """
    principal = session_principal(request)
    try:
        principal.refresh()
    except LogtoError as error:
        if not principal.is_authenticated:
            raise
        logger.warning("The claims are not fetched again after a change of the account: %s", error)

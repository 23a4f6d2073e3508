"""A page for signed-in users: who may open it, its forms, and what happens if something fails."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import override
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.generic import View

from logto_auth.access.responses import (
    is_impersonated,
    not_during_impersonation_response,
    page_of_request,
    prefetch_response,
)
from logto_auth.exceptions import (
    LogtoError,
    ManagementAPIError,
    ProviderError,
    SignInRefused,
    SignInRequired,
    TokenError,
)
from logto_auth.navigation import is_prefetch
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import with_query
from logto_auth.sign_in.page import add_headers, render_page

from .navigation import NavigationEntry
from .notices import has_messages
from .texts import PageText

__all__ = ["SignedInPage", "refresh_claims"]

logger = logging.getLogger("logto_auth")

# The errors of a session that has ended at Logto, or whose user the site refuses.
SESSION_ERRORS = (SignInRefused, SignInRequired, TokenError)
# The name of the finished change, for sites without `django.contrib.messages`.
DONE = "done"


@method_decorator([csrf_protect, sensitive_post_parameters()], name="dispatch")
class SignedInPage(View):
    """A page for a user who is signed in through Logto.

    A subclass writes `get` and the methods of `actions`, and lets errors of Logto propagate: they become pages here. A
    form that wants to show an error beside its fields calls Logto inside `form_errors`.

    A family of pages has a base class of its own, with what is below "The family", and an empty `all_done_texts`.
    """

    template_name: ClassVar[str]
    """The template, below the folder of the family."""
    section: ClassVar[str] = ""
    """The entry of the navigation that is marked."""
    actions: ClassVar[dict[str, str]] = {}
    """The methods that process a form, by the value of its button `action`. "" is for a form without this value."""
    done_texts: ClassVar[dict[str, str | Promise]] = {}
    """What a page says after a change, by a word that `done` passes. The next page may be another one."""
    needs_user: ClassVar[bool] = True
    """Whether the page is only for users who are signed in through Logto."""

    allows_impersonation: ClassVar[bool] = True
    """Whether staff who act as the user may open the page."""

    # The family

    folder: ClassVar[str]
    """The folder of the templates, below `logto_auth/`, with `unavailable.html` for errors."""
    log_name: ClassVar[str]
    """How a line in the log begins."""
    not_managed: ClassVar[PageText]
    """The page for a user who is signed in without Logto."""
    page_errors: ClassVar[tuple[type[LogtoError], ...]] = SESSION_ERRORS
    """Errors that a form cannot show."""
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.all_done_texts.update(cls.done_texts)

    def check(self) -> HttpResponseBase | None:
        """Return None if the page may be shown, else the response to send instead. Raise LogtoError."""
        return None

    def navigation(self) -> list[NavigationEntry]:
        """Return the links to the pages that the user may open."""
        return []

    def page_text(self, error: LogtoError) -> PageText:
        """Return the texts of the page for `error`."""
        raise NotImplementedError

    def error_text(self, error: LogtoError) -> str:
        """Return the sentence that a form shows for `error`."""
        raise NotImplementedError

    def remedy(self, error: LogtoError) -> str | Promise:
        """Return what the operator does about `error`, "" if there is nothing to do."""
        return ""

    def status_of(self, error: LogtoError) -> int:
        """Return the status of the page for `error`."""
        return error.status

    # The request

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
        if not self.allows_impersonation and is_impersonated(request):
            return not_during_impersonation_response(request)
        if self.needs_user:
            if not request.user.is_authenticated:
                return redirect_to_login(self.page_url)
            if not session_principal(request).is_authenticated:
                return self.error_page(self.not_managed, status=403)
        try:
            return self.check() or super().dispatch(request, *args, **kwargs)
        except LogtoError as error:
            return self.error_response(error)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Call the method of the button that was pressed."""
        name = self.actions.get(request.POST.get("action", ""))
        if name is None:
            return HttpResponseRedirect(self.url)
        process: Callable[..., HttpResponseBase] = getattr(self, name)
        return process(*args, **kwargs)

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
        """Return a page from a template of the family, inside the navigation."""
        done = self.all_done_texts.get(self.request.GET.get(DONE, ""))
        context = {
            "navigation": self.navigation(),
            "messages": messages.get_messages(self.request),
            "notices": [done] if done and not has_messages(self.request) else [],
            "user": self.request.user,
            **context,
        }
        return render_page(self.request, f"{self.folder}/{template}", context, status=status)

    def done(self, word: str, url: str = "", *, text: str = "") -> HttpResponseRedirect:
        """Return the redirect to this page, or to `url`, after a change at Logto, whose claims are fetched again.

        The next page shows `text`, else that of `word` in `done_texts`; always the latter if the site does not use
        `django.contrib.messages`. If the session has ended, the user signs in before the next page.
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

    # Errors

    @contextmanager
    def form_errors(self, form: BaseForm, field: str | None = None, *, field_of_error: bool = True) -> Iterator[None]:
        """Show an error of Logto in `form`: beside the field that it names, else beside `field`, else above all fields.

        Without `field_of_error`, the field that the error names does not count. The `page_errors` are raised.
        """
        try:
            yield
        except LogtoError as error:
            if isinstance(error, self.page_errors):
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
        text = self.error_text(error)
        advice = self.remedy(error)
        return f"{text} {advice}" if advice and self.is_for_staff else text

    def log_text(self, error: LogtoError) -> str:
        """Return the text of `error` for the log."""
        return str(error)

    def log(self, error: LogtoError, reference: str = "-") -> None:
        """Log one line: an error if the operator has to act, else information."""
        advice = self.remedy(error)
        level = logging.ERROR if advice or self.status_of(error) >= 500 else logging.INFO
        # The log has one language, whatever that of the page is.
        with override("en"):
            logger.log(
                level,
                "%s: %s (%s, reference %s)%s",
                self.log_name,
                self.log_text(error),
                error.code,
                reference,
                f" {advice}" if advice else "",
                extra={"code": error.code},
            )

    def error_response(self, error: LogtoError) -> HttpResponseBase:
        """Return the response for an error of Logto that no form shows."""
        if isinstance(error, SESSION_ERRORS):
            return end_session(self.request, error) or redirect_to_login(self.page_url)
        reference = secrets.token_hex(4)
        self.log(error, reference)
        response = self.error_page(
            self.page_text(error), status=self.status_of(error), error=error, reference=reference
        )
        if isinstance(error, ProviderError | ManagementAPIError) and error.retry_after_seconds is not None:
            response["Retry-After"] = str(error.retry_after_seconds)
        return response

    def error_page(
        self, text: PageText, *, status: int, error: LogtoError | None = None, reference: str = "", **context: Any
    ) -> HttpResponse:
        """Return a page that says why the user cannot have this one. It calls no Logto."""
        advice = (error and self.remedy(error)) or text.remedy
        return render_page(
            self.request,
            f"{self.folder}/unavailable.html",
            {
                "title": text.title,
                "text": text.text,
                "remedy": advice if self.is_for_staff else "",
                "code": error.code if error else "",
                "reference": reference,
                "try_again_url": self.url if error else "",
                "user": self.request.user,
                **context,
            },
            status=status,
        )


def refresh_claims(request: HttpRequest) -> None:
    """Fetch new claims after a change at Logto, so that the claims of the session and the Django user follow.

    The change is done, and the response says so. So a problem is only logged, and a session that Logto or the site no
    longer confirms ends, without the response that says that the request was not processed.
    """
    principal = session_principal(request)
    try:
        principal.refresh()
    except LogtoError as error:
        if not principal.is_authenticated:
            end_session(request, error)
        logger.warning("The claims are not fetched again after a change of the account: %s", error)

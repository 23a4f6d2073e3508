"""A page that calls Logto's Management API in the name of the site, for what Logto lets no user do themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise

from logto_auth.exceptions import ConfigurationError, LogtoError, ManagementAPIError, ProviderError
from logto_auth.transactions import non_atomic

from .failures import loggable_text, remedy, status_of
from .page import SignedInPage
from .texts import PageText

__all__ = ["ManagedPage"]

logger = logging.getLogger("logto_auth")

CSRF_FIELD = "csrfmiddlewaretoken"


class ManagedPage(SignedInPage):
    """A page whose changes the site makes at Logto.

    A form whose change has failed has the status of the error, and the page for a failure of Logto has a button that
    sends the same form again. A ConfigurationError becomes a page as well.
    """

    not_set_up_text: ClassVar[PageText]
    """The page for users while the operator has not finished the set-up."""
    repeatable: ClassVar[tuple[type[LogtoError], ...]] = (ManagementAPIError, ProviderError)
    """Errors after which the same form may be sent again, and then finishes."""

    form_status: int = HTTPStatus.OK
    """The status of the page with a form whose change has failed."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it."""
        return non_atomic(super().as_view(**initkwargs))

    def _respond(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super()._respond(request, *args, **kwargs)
        except ConfigurationError as error:
            return self.not_set_up(error, status=HTTPStatus.SERVICE_UNAVAILABLE)

    def not_set_up(self, error: ConfigurationError, *, status: int) -> HttpResponse:
        """Return the page for a site whose operator has to finish the set-up. The log says what is missing."""
        logger.error("%s: %s", self.log_name, error)
        return self.error_page(self.not_set_up_text, status=status)

    def render(self, context: dict[str, Any] | None = None, *, status: int = 0) -> HttpResponse:
        """Return the page. After an error in `form_errors`, it has the status of this error."""
        return super().render(context, status=status or self.form_status)

    @contextmanager
    def form_errors(self, form: BaseForm, field: str | None = None, *, field_of_error: bool = True) -> Iterator[None]:
        """Show an error in `form`: see `SignedInPage.form_errors`. `render` then returns the status of the error."""
        with super().form_errors(form, field, field_of_error=field_of_error):
            try:
                yield
            except LogtoError as error:
                self.form_status = self.status_of(error)
                raise

    def remedy(self, error: LogtoError) -> str | Promise:
        """Return what the operator does about `error`, "" if there is nothing to do."""
        return remedy(error)

    def status_of(self, error: LogtoError) -> int:
        """Return the status of the page for `error`."""
        return status_of(error)

    def log_text(self, error: LogtoError) -> str:
        """Return the text of `error` for the log, without the explanation of Logto, which may contain an address."""
        return loggable_text(error)

    def error_page(
        self, text: PageText, *, status: int, error: LogtoError | None = None, reference: str = "", **context: Any
    ) -> HttpResponse:
        """Return a page that says what went wrong. It calls no Logto.

        If Logto has failed to process a form, its button sends the same form again.
        """
        is_repeatable = isinstance(error, self.repeatable)
        values = self.request.POST.lists() if self.request.method == "POST" and is_repeatable else ()
        context = {
            "repeated": [(name, value) for name, each in values for value in each if name != CSRF_FIELD],
            # What the user lacks, or what does not exist, is the same a moment later.
            "try_again_url": self.url if is_repeatable else "",
            **context,
        }
        return super().error_page(text, status=status, error=error, reference=reference, **context)

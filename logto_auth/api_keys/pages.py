"""The pages for API keys: the list, a new key, and one key. They look like the pages of the account centre."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise, cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.account.navigation import account_navigation
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.pages.managed import ManagedPage
from logto_auth.pages.navigation import NavigationEntry, optional_url
from logto_auth.pages.texts import PageText

from .errors import ApiKeyError, ApiKeyGone, ProofRequired
from .forms import KeyNameForm, NewKeyForm
from .proof import proof_response
from .service import ApiKeys
from .texts import KEYS_ARE_OFF, NOT_MANAGED, page_text
from .values import ApiKey

__all__ = ["ApiKeysPage", "KeyPage", "ListPage", "NewKeyPage"]


class ApiKeysPage(ManagedPage):
    """A page about API keys. There is none on a site without the Management API."""

    folder = "api_keys"
    log_name = "API key page"
    allows_impersonation = False
    section = "api-keys"
    not_managed = NOT_MANAGED
    not_set_up_text = KEYS_ARE_OFF
    page_errors = (*ManagedPage.page_errors, ApiKeyGone, ProofRequired)
    all_done_texts: ClassVar[dict[str, str | Promise]] = {}
    done_texts = {
        "renamed": _("The API key has been renamed."),
        "revoked": _("The API key has been revoked."),
    }

    def check(self) -> HttpResponseBase | None:
        """Return None if the site can manage keys, else the page that says that it cannot."""
        try:
            self.keys  # noqa: B018
        except ConfigurationError as error:
            return self.not_set_up(error, status=HTTPStatus.NOT_FOUND)
        return None

    @cached_property
    def keys(self) -> ApiKeys:
        """The keys of the user of the request. Raise ConfigurationError, SignInRequired."""
        return ApiKeys(self.request)

    @property
    def list_url(self) -> str:
        """The URL path of the list."""
        return url_of("list")

    def navigation(self) -> list[NavigationEntry]:
        """Return the links to the account pages of the site; none if this is the only one."""
        entries = [each._replace(is_current=each.name == self.section) for each in account_navigation(self.request)]
        return entries if len(entries) > 1 else []

    def render_template(self, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        """Return a page from a template of these pages, inside the navigation."""
        return super().render_template(template, {"list_url": self.list_url, **context}, status=status)

    def page_text(self, error: LogtoError) -> PageText:
        """Return the texts of the page for `error`."""
        return page_text(error, is_form=self.request.method == "POST")

    def error_text(self, error: LogtoError) -> str:
        """Return the sentence that a form shows for `error`."""
        return str(error.visitor_message if isinstance(error, ApiKeyError) else self.page_text(error).text)

    def error_response(self, error: LogtoError) -> HttpResponseBase:
        """Return the response for an error that no form shows."""
        if isinstance(error, ProofRequired):
            return proof_response(self.request, url_of("new") or self.url)
        return super().error_response(error)

    def error_page(
        self, text: PageText, *, status: int, error: LogtoError | None = None, reference: str = "", **context: Any
    ) -> HttpResponse:
        """Return a page that says what went wrong. It calls no Logto."""
        context = {"list_url": self.list_url if isinstance(error, ApiKeyError) else "", **context}
        return super().error_page(text, status=status, error=error, reference=reference, **context)


class ListPage(ApiKeysPage):
    """List the API keys of the user."""

    template_name = "list.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        keys = self.keys.all()
        return self.render(
            {
                "keys": [(each, *times_of(each), url_of("key", each.id)) for each in keys],
                "new_url": url_of("new"),
                "is_full": len(keys) >= conf.api_keys_per_user,
                "limit": conf.api_keys_per_user,
            }
        )


class NewKeyPage(ApiKeysPage):
    """Make an API key, for a user who has just proved who they are. Its value is shown once."""

    template_name = "new.html"
    actions = {"create": "create"}

    def check(self) -> HttpResponseBase | None:
        """Return None if the user has proved who they are, else the response that asks for it."""
        if refusal := super().check():
            return refusal
        return None if self.keys.has_proof else proof_response(self.request, self.url)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page."""
        return self.render({"form": NewKeyForm()})

    @sensitive_variables()
    def create(self) -> HttpResponseBase:
        """Make the key, and return the page with its value, which is stored nowhere."""
        form = NewKeyForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                values = form.cleaned_data
                key = self.keys.create(values["name"], expires_at=form.expiry, form=values["form_id"])
                # The template reveals the value, so that no variable holds its text.
                return self.render_template("created.html", {"key": key, "expires_at": times_of(key)[1]})
        return self.render({"form": form})


class KeyPage(ApiKeysPage):
    """Rename or revoke an API key."""

    template_name = "key.html"
    actions = {"rename": "rename", "remove": "revoke"}

    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        """Return the page. Raise ApiKeyGone."""
        return self.render_key(self.keys.get(key_id))

    def render_key(self, key: ApiKey, form: KeyNameForm | None = None) -> HttpResponse:
        """Return the page of a key."""
        created_at, expires_at = times_of(key)
        form = form or KeyNameForm(initial={"name": key.name})
        return self.render({"key": key, "created_at": created_at, "expires_at": expires_at, "form": form})

    def rename(self, key_id: str) -> HttpResponseBase:
        """Rename the key. Raise ApiKeyGone."""
        form = KeyNameForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                self.keys.rename(key_id, form.cleaned_data["name"])
                return self.redirect("renamed", self.list_url)
        return self.render_key(self.keys.get(key_id), form)

    def revoke(self, key_id: str) -> HttpResponseBase:
        """Revoke the key. One that is gone already counts as revoked."""
        try:
            self.keys.revoke(key_id)
        except ApiKeyGone as error:
            self.log(error)
        return self.redirect("revoked", self.list_url)


def times_of(key: ApiKey) -> tuple[Any, Any]:
    """Return when a key was made and when it expires, in the current time zone, also with `USE_TZ = False`."""
    return localtime(key.created_at), localtime(key.expires_at) if key.expires_at else None


def url_of(name: str, *args: str) -> str:
    """Return the URL path of a page, "" if the site has left it out."""
    return optional_url(f"logto_api_keys:{name}", *args)

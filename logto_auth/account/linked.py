"""The page for accounts of social providers that are linked to the user's account, such as Alipay.

Linking goes through the browser: this site asks Logto for the provider's URL, the provider sends the browser back to
`LinkCallback`, and Logto checks what the provider has said.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from logto_auth.account_api.types import SocialConnector
from logto_auth.exceptions import FieldNotEditable, InvalidValue, LogtoError, VerificationRequired
from logto_auth.sessions.public_settings import sign_in_experience
from logto_auth.sign_in.next_url import with_query
from logto_auth.sign_in.start import LOGTO_LANGUAGES, absolute_uri, redirect_to_base_url

from .error_texts import FORM_ERRORS
from .page import AccountPage
from .steps import STEP_SECONDS, find_step, seal_step

__all__ = ["LinkCallback", "LinkPage", "LinkedAccount", "LinkedPage"]

logger = logging.getLogger("logto_auth")

# Holds the step of the link that the browser has started last.
COOKIE = "logto_link"
PURPOSE = "account-link"
STEP = "step"
# Of platforms of connectors with the same target, the first one is used. Native ones work in apps only.
PLATFORMS = ("Web", "Universal", None)
# Logto refuses more; a provider sends a handful.
MAX_PARAMETERS = 50


@dataclass(frozen=True, kw_only=True)
class LinkedAccount:
    """A row of the page: a provider, and the user's account there if it is linked."""

    target: str
    name: str
    """The name of the provider."""
    connector_id: str
    """The connector to link with; "" if the provider is not offered in browsers any more."""
    is_linked: bool
    label: str = ""
    """What the provider calls the account: a name, an e-mail address or an id."""
    account_id: str = ""


class LinkingPage(AccountPage):
    """What the page and the two views of a link have in common."""

    section = "linked"
    scopes = ("identities",)
    field = "social"
    done_texts = {
        "linked": _("The account has been linked."),
        "unlinked": _("The linked account has been removed."),
        "not-linked": _("This account is no longer linked."),
        "link-cancelled": _("The account was not linked, because the other service did not confirm it."),
        "link-unknown": _("This link was not started in this browser, or it took too long. Please start again."),
        "link-not-in-browser": _("This service can only be linked in its app."),
        "link-failed": _("The account was not linked. Please try again."),
    }

    @property
    def page_url(self) -> str:
        """The URL of the page after a sign-in: never that of the callback, which has a code in it."""
        return reverse("logto_account:linked")

    @property
    def url(self) -> str:
        """The URL of the page with the buttons."""
        return self.page_url

    def failure(self, word: str, text: str = "") -> HttpResponseBase:
        """Return the redirect to the page, which says that nothing was linked."""
        return self.redirect(word, self.page_url, text=text, level=messages.ERROR)

    def finish(self, step: Mapping[str, Any]) -> HttpResponseBase:
        """Link the account whose proof Logto has, and return the redirect."""
        try:
            if step["replaces"]:
                self.account.replace_identity(step["record"])
            else:
                self.account.link_identity(step["record"])
        except VerificationRequired:
            query = {STEP: seal_step(self.request, PURPOSE, {**step, "is_verified": True})}
            return self.verification_response(with_query(self.page_url, query))
        except FORM_ERRORS as error:
            self.log(error)
            return self.failure("link-failed", self.form_text(error))
        return self.done("linked", self.page_url)


class LinkedPage(LinkingPage):
    """Show the linked accounts, and unlink them."""

    template_name = "linked.html"
    uses_sign_in_experience = True
    actions = {"unlink": "unlink", "finish": "finish_link"}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page."""
        if moved := redirect_to_base_url(request):
            # The provider sends the browser to LOGTO_BASE_URL.
            return moved
        step = self.step_of(request.GET.get(STEP, ""))
        return self.page(step=request.GET[STEP] if step and step.get("is_verified") else "")

    def page(self, **context: Any) -> HttpResponse:
        """Return the page with the accounts that are linked, and the providers that can be linked."""
        try:
            connectors = list(sign_in_experience().get("socialConnectors") or ())
        except LogtoError as error:
            # What is linked is shown all the same.
            self.log(error)
            connectors = []
        account = self.shown_account
        if account and "identities" not in account:
            raise FieldNotEditable("The field social of the account center is Off.", field=self.field)
        accounts = list(linked_accounts(account.get("identities") or {}, connectors))
        return self.render({"accounts": accounts, "may_edit_social": self.may_edit("social"), **context})

    def step_of(self, text: str) -> dict[str, Any] | None:
        """Return the step in `text`; None if it is empty, too old or of another session."""
        return find_step(self.request, PURPOSE, text)

    def unlink(self) -> HttpResponseBase:
        """Unlink an account."""
        if refusal := self.require_verification(unless_impossible=True):
            return refusal
        target = self.request.POST.get("target", "")
        if target not in (self.user_account.get("identities") or {}):
            return self.failure("not-linked")
        try:
            self.account.unlink_identity(target)
        except FORM_ERRORS as error:
            self.log(error)
            return self.failure("link-failed", self.form_text(error))
        return self.done("unlinked")

    def finish_link(self) -> HttpResponseBase:
        """Link the account that the provider had confirmed before the user proved again who they are."""
        step = self.step_of(self.request.POST.get(STEP, ""))
        return self.finish(step) if step and step.get("is_verified") else self.failure("link-unknown")


class LinkPage(LinkingPage):
    """Start the link with a provider."""

    actions = {"link": "link", "replace": "replace"}

    def get(self, request: HttpRequest, connector_id: str) -> HttpResponseBase:
        """Return the redirect to the page with the buttons."""
        return HttpResponseRedirect(self.page_url)

    def link(self, connector_id: str) -> HttpResponseBase:
        """Link an account of a provider of which none is linked."""
        return self.start(connector_id, replaces=False)

    def replace(self, connector_id: str) -> HttpResponseBase:
        """Link another account in place of the one that is linked."""
        return self.start(connector_id, replaces=True)

    def start(self, connector_id: str, *, replaces: bool) -> HttpResponseBase:
        """Return the page that leads to the provider, with the cookie of the step.

        It is a page and no redirect: a Content Security Policy with `form-action` would stop a redirect of a form.
        """
        if refusal := self.require_verification(unless_impossible=True):
            return refusal
        state = secrets.token_urlsafe(32)
        redirect_uri = absolute_uri(self.request, reverse("logto_account:link-callback", args=[connector_id]))
        try:
            verification = self.account.start_social(connector_id, state=state, redirect_uri=redirect_uri)
        except FORM_ERRORS as error:
            self.log(error)
            return self.failure("link-failed", self.form_text(error))
        uri = verification.authorization_uri
        if not is_web_url(uri):
            # The connector is for apps. It would open nothing, or worse, run a script.
            logger.error("The connector %r does not work in browsers: it needs the platform Web.", connector_id[:64])
            return self.failure("link-not-in-browser")
        step = {
            "record": verification.id.reveal(),
            "state": state,
            "connector": connector_id,
            "redirect_uri": redirect_uri,
            "replaces": replaces,
        }
        response = self.render_template("linking.html", {"provider_url": uri, "name": self.name_of(connector_id)})
        response.set_cookie(
            COOKIE,
            seal_step(self.request, PURPOSE, step),
            max_age=STEP_SECONDS,
            path=self.page_url,
            secure=self.request.is_secure() or settings.SESSION_COOKIE_SECURE or redirect_uri.startswith("https:"),
            httponly=True,
            # The provider's redirect is a cross-site navigation, to which browsers do not send Strict cookies.
            samesite="Lax",
        )
        return response

    def name_of(self, connector_id: str) -> str:
        """Return the name of the provider, "" if it is not known."""
        try:
            connectors = sign_in_experience().get("socialConnectors") or ()
        except LogtoError:
            return ""
        return next((connector_name(each) for each in connectors if each["id"] == connector_id), "")


class LinkCallback(LinkingPage):
    """The redirect URI for the provider."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, connector_id: str) -> HttpResponseBase:
        """Let Logto check what the provider says, link the account, and return the redirect to the page.

        The state is bound to this browser and this session: what the provider has said to another browser, or for
        another user, links nothing here.
        """
        response = self.answer(request, connector_id)
        # Each state is valid for one attempt.
        response.delete_cookie(COOKIE, path=self.page_url, samesite="Lax")
        return response

    def answer(self, request: HttpRequest, connector_id: str) -> HttpResponseBase:
        """Return the response without the cookie."""
        step = self.step_in_cookie()
        state = request.GET.get("state", "")
        if step is None or step["connector"] != connector_id or not constant_time_compare(step["state"], state):
            logger.warning("The callback of a provider does not belong to a link of this browser and session.")
            return self.failure("link-unknown")
        if "error" in request.GET or len(request.GET) > MAX_PARAMETERS:
            return self.failure("link-cancelled")
        data = {**request.GET.dict(), "redirectUri": step["redirect_uri"]}
        try:
            self.account.verify_social(step["record"], data)
        except InvalidValue as error:
            self.log(error)
            return self.failure("link-cancelled")
        except FORM_ERRORS as error:
            self.log(error)
            return self.failure("link-failed", self.form_text(error))
        return self.finish(step)

    def step_in_cookie(self) -> dict[str, Any] | None:
        """Return the step of the link that this browser has started; None without one of this session."""
        return find_step(self.request, PURPOSE, self.request.COOKIES.get(COOKIE, ""))


def is_web_url(uri: str) -> bool:
    """Return whether a browser opens `uri` as a page."""
    try:
        return urlsplit(uri).scheme in ("http", "https")
    except ValueError:
        # Such as http://[, which an operator may have entered at the connector.
        return False


def linked_accounts(identities: Mapping[str, Any], connectors: Iterable[SocialConnector]) -> Iterable[LinkedAccount]:
    """Yield a row for each provider: those that Logto offers, then those that are linked and no longer offered."""
    offered = browser_connectors(connectors)
    for target in [*offered, *sorted(set(identities) - set(offered))]:
        connector = offered.get(target)
        identity = identities.get(target)
        account_id = ""
        details: Mapping[str, Any] = {}
        if isinstance(identity, Mapping):
            account_id, details = str(identity.get("userId") or ""), identity.get("details") or {}
        yield LinkedAccount(
            target=target,
            name=connector_name(connector) if connector else target,
            connector_id=connector["id"] if connector else "",
            is_linked=identity is not None,
            label=str(details.get("name") or details.get("email") or account_id),
            account_id=account_id,
        )


def browser_connectors(connectors: Iterable[SocialConnector]) -> dict[str, SocialConnector]:
    """Return the connectors that work in browsers, by target, in the order of the sign-in page."""
    chosen: dict[str, SocialConnector] = {}
    for connector in connectors:
        platform = connector.get("platform")
        if platform not in PLATFORMS:
            continue
        present = chosen.get(connector["target"])
        if present is None or PLATFORMS.index(platform) < PLATFORMS.index(present.get("platform")):
            chosen[connector["target"]] = connector
    return chosen


def connector_name(connector: SocialConnector) -> str:
    """Return the name of a provider in the active language, else in English, else its target."""
    names = connector.get("name") or {}
    language = get_language() or "en"
    # Logto names languages as zh-CN, Django as zh-hans.
    wanted = [LOGTO_LANGUAGES.get(language, language), language.partition("-")[0], "en"]
    return str(next((names[each] for each in wanted if names.get(each)), connector["target"]))

"""The pages for username, e-mail address and phone number.

A new address is proved by a code that Logto sends there. Whether the address belongs to another user is reported by
Logto after that proof only, so the page tells nobody who has an account.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from django import forms
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import CodeExpired, VerificationRequired
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import with_query

from .error_texts import FORM_ERRORS
from .forms import CodeForm, EmailForm, PhoneForm, UsernameForm
from .navigation import url_of
from .page import AccountPage
from .profile import shown_phone
from .steps import find_step, seal_step

__all__ = ["EmailPage", "PhonePage", "UsernamePage"]

# The parameter and the hidden field with what the steps before have found out.
STEP = "step"


class IdentifierPage(AccountPage):
    """What the three pages have in common: a user who has proved who they are enters a new value."""

    section = "profile"
    key: ClassVar[str]
    """The key of the present value in the account."""
    form_class: ClassVar[type[forms.Form]]
    form_field: ClassVar[str] = "value"

    def get(self, request: Any) -> HttpResponseBase:
        """Return the page, or the redirect to the verification of the user."""
        if not self.may_edit(self.field):
            return self.value_page(None)
        step = self.step_of(request.GET.get(STEP, "")) or {}
        query = {STEP: request.GET[STEP]} if step else {}
        if refusal := self.require_verification(next_url=with_query(self.url, query) if query else ""):
            return refusal
        if step.get("is_verified"):
            return self.render({"value": self.shown(step["value"]), "step": request.GET[STEP], "is_last_step": True})
        return self.value_page(self.form_class(initial={self.form_field: self.shown(step.get("value", ""))}))

    def value_page(self, form: forms.Form | None, **context: Any) -> HttpResponse:
        """Return the page with the present value, and `form` for a new one if the user may change it."""
        present = self.shown(self.shown_account.get(self.key) or "")
        return self.render({"present": present, "form": form, "back_url": url_of("profile"), **context})

    def shown(self, value: str) -> str:
        """Return a value as users read it."""
        return value

    @property
    def purpose(self) -> str:
        """What the steps of this page are sealed for."""
        return f"account-{self.field}"

    def seal(self, **data: Any) -> str:
        """Return what the next step needs, as a text for a hidden field or a URL."""
        return seal_step(self.request, self.purpose, data)

    def step_of(self, text: str) -> dict[str, Any] | None:
        """Return what the steps before have found out; None if `text` is empty, too old or of another session."""
        return find_step(self.request, self.purpose, text)

    def url_with_step(self, **data: Any) -> str:
        """Return the URL of this page that continues with `data` after the verification of the user."""
        return with_query(self.url, {STEP: self.seal(**data)})


class UsernamePage(IdentifierPage):
    """Change the username."""

    template_name = "username.html"
    field = "username"
    key = "username"
    form_class = UsernameForm
    form_field = "username"
    actions = {"save": "save"}
    done_texts = {"username-changed": _("Your username has been changed.")}

    def save(self) -> HttpResponseBase:
        """Change the username."""
        form = UsernameForm(self.request.POST)
        if form.is_valid():
            value = form.cleaned_data["username"]
            next_url = self.url_with_step(value=value)
            if refusal := self.require_verification(next_url=next_url):
                return refusal
            try:
                with self.form_errors(form, "username"):
                    self.account.update(username=value)
                    return self.done("username-changed", url_of("profile"))
            except VerificationRequired:
                return self.verification_response(next_url)
        return self.value_page(form)


class AddressPage(IdentifierPage):
    """Change or remove an address, which needs a code that is sent to the new one."""

    kind: ClassVar[Literal["email", "phone"]]
    claim: ClassVar[str]
    """The claim with the present value."""
    same_text: ClassVar[str | Promise]
    actions = {"send": "send", "again": "send_again", "confirm": "confirm", "finish": "finish", "remove": "remove"}

    def send(self) -> HttpResponseBase:
        """Send a code to the new address, and return the page that asks for it."""
        form = self.form_class(self.request.POST)
        if form.is_valid():
            value = form.cleaned_data["value"]
            if value == self.present_value:
                form.add_error("value", str(self.same_text))
                return self.value_page(form)
            if refusal := self.require_verification(next_url=self.url_with_step(value=value)):
                return refusal
            with self.form_errors(form, "value"):
                return self.code_page(self.send_code(value))
        return self.value_page(form)

    @property
    def present_value(self) -> str:
        """The present address according to the claims."""
        return str(session_principal(self.request).claims.get(self.claim) or "").lstrip("+")

    def send_code(self, value: str) -> dict[str, Any]:
        """Send a code, and return what the next step needs. Raise LogtoError."""
        record = self.account.send_code(self.kind, value)
        return {"value": value, "record": record.id.reveal()}

    def send_again(self) -> HttpResponseBase:
        """Send another code to the same address."""
        step = self.step_of(self.request.POST.get(STEP, ""))
        if step is None:
            return self.expired_page()
        form = CodeForm({"code": "-"})
        form.full_clean()
        with self.form_errors(form):
            return self.code_page(self.send_code(step["value"]), is_sent_again=True)
        return self.code_page(step, form)

    def code_page(self, step: dict[str, Any], form: CodeForm | None = None, **context: Any) -> HttpResponse:
        """Return the page that asks for the code."""
        return self.render(
            {
                "value": self.shown(step["value"]),
                "step": self.seal(**step),
                "code_form": form or CodeForm(),
                "back_url": self.url,
                **context,
            }
        )

    def expired_page(self) -> HttpResponse:
        """Return the first step again, with the reason."""
        form = self.form_class({})
        form.full_clean()
        form.errors.clear()
        form.add_error(None, self.form_text(CodeExpired("The step of the form has expired.")))
        return self.value_page(form)

    def confirm(self) -> HttpResponseBase:
        """Check the code, and change the address."""
        step = self.step_of(self.request.POST.get(STEP, ""))
        if step is None:
            return self.expired_page()
        form = CodeForm(self.request.POST)
        if not form.is_valid():
            return self.code_page(step, form)
        with self.form_errors(form, "code"):
            self.account.verify_code(self.kind, step["value"], record_id=step["record"], code=form.cleaned_data["code"])
            return self.set_address({**step, "is_verified": True})
        return self.code_page(step, form)

    def finish(self) -> HttpResponseBase:
        """Change the address, whose code was checked before the user had to prove again who they are."""
        step = self.step_of(self.request.POST.get(STEP, ""))
        return self.set_address(step) if step and step.get("is_verified") else self.expired_page()

    def set_address(self, step: dict[str, Any]) -> HttpResponseBase:
        """Change the address, and return the redirect; the first step again if Logto refuses it."""
        value, record = step["value"], step["record"]
        form = self.form_class({"value": self.shown(value)})
        form.full_clean()
        try:
            with self.form_errors(form, "value"):
                if self.kind == "email":
                    self.account.set_email(value, new_record_id=record)
                else:
                    self.account.set_phone(value, new_record_id=record)
                return self.done(f"{self.kind}-changed", url_of("profile"))
        except VerificationRequired:
            # The code need not be entered again.
            return self.verification_response(self.url_with_step(**step))
        return self.value_page(form)

    def remove(self) -> HttpResponseBase:
        """Remove the address."""
        if refusal := self.require_verification():
            return refusal
        try:
            if self.kind == "email":
                self.account.remove_email()
            else:
                self.account.remove_phone()
        except FORM_ERRORS as error:
            self.log(error)
            return self.value_page(self.form_class(), removal_error=self.form_text(error))
        return self.done(f"{self.kind}-removed", url_of("profile"))


class EmailPage(AddressPage):
    """Change or remove the e-mail address."""

    template_name = "email.html"
    scopes = ("email",)
    field = "email"
    key = "primaryEmail"
    kind = "email"
    claim = "email"
    form_class = EmailForm
    same_text = _("This is already your e-mail address.")
    done_texts = {
        "email-changed": _("Your e-mail address has been changed."),
        "email-removed": _("Your e-mail address has been removed."),
    }


class PhonePage(AddressPage):
    """Change or remove the phone number."""

    template_name = "phone.html"
    scopes = ("phone",)
    field = "phone"
    key = "primaryPhone"
    kind = "phone"
    claim = "phone_number"
    form_class = PhoneForm
    same_text = _("This is already your phone number.")
    done_texts = {
        "phone-changed": _("Your phone number has been changed."),
        "phone-removed": _("Your phone number has been removed."),
    }

    def shown(self, value: str) -> str:
        """Return the number with the plus sign of its country code."""
        return shown_phone(value)

"""The page of the security verification: the password, or a code to the user's present address."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.account_api.types import IdentifierKind
from logto_auth.oidc.secrets import Secret
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import is_allowed_next

from .error_texts import FORM_ERRORS
from .forms import CodeForm
from .page import AccountPage
from .steps import find_step, seal_step
from .verification import verification_url, with_next

__all__ = ["VerifyPage", "masked"]

STEP = "verify"
MAX_PASSWORD_LENGTH = 256
# Of each kind: Logto's field, the claim, and the scope of both.
ADDRESSES: dict[IdentifierKind, tuple[str, str, str]] = {
    "email": ("primaryEmail", "email", "email"),
    "phone": ("primaryPhone", "phone_number", "phone"),
}
CODE_EXPIRED = _("The code has expired or was already used. Please request a new one.")


class PasswordForm(forms.Form):
    """The user's present password."""

    password = forms.CharField(
        label=_("Password"),
        max_length=MAX_PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OwnAddress(NamedTuple):
    """A present address of the user, to which a code can be sent."""

    kind: IdentifierKind
    masked: str


class VerifyPage(AccountPage):
    """Let the user prove who they are, and go to `next`, by default the profile.

    A code goes only to an address that the user has at Logto now: the request cannot name one.
    """

    template_name = "verify.html"
    section = ""
    actions = {"password": "check_password", "send": "send_code", "code": "check_code"}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page; the redirect to `next` if the user has proved it already."""
        return HttpResponseRedirect(self.next_url) if self.account.is_verified else self.show()

    @sensitive_variables()
    def check_password(self) -> HttpResponseBase:
        """Check the password, and redirect to `next`."""
        form = PasswordForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form, "password"):
                self.account.verify_password(Secret(form.cleaned_data["password"]))
        return self.show(password_form=form) if form.errors else HttpResponseRedirect(self.next_url)

    @sensitive_variables()
    def send_code(self) -> HttpResponseBase:
        """Send a code to an address of the user, and return the page that asks for it."""
        kind = cast(IdentifierKind, self.request.POST.get("kind", ""))
        if kind not in ADDRESSES:
            return HttpResponseRedirect(self.request.get_full_path())
        try:
            record = self.account.send_own_code(kind)
        except FORM_ERRORS as error:
            self.log(error)
            return self.show(error=self.form_text(error))
        step = {
            "kind": kind,
            "address": masked(self.account.own_address(kind)),
            "record": record.id.reveal(),
            "until": record.expires_at,
        }
        sealed = seal_step(self.request, STEP, step, expires_at=record.expires_at)
        return self.show_code_form(CodeForm(initial={"step": sealed}), step)

    @sensitive_variables()
    def check_code(self) -> HttpResponseBase:
        """Check the code of the message, and redirect to `next`."""
        form = CodeForm(self.request.POST)
        step = find_step(self.request, STEP, form.data.get("step", ""))
        if step is None:
            return self.show(error=CODE_EXPIRED)
        if form.is_valid():
            record_id, code = Secret(step["record"]), Secret(form.cleaned_data["code"])
            with self.form_errors(form, "code"):
                self.account.verify_own_code(step["kind"], record_id, code, expires_at=step["until"])
        return self.show_code_form(form, step) if form.errors else HttpResponseRedirect(self.next_url)

    # Responses

    @property
    def next_url(self) -> str:
        """Where the user goes after the verification."""
        next_url = self.request.GET.get(REDIRECT_FIELD_NAME, "")
        return next_url if next_url and is_allowed_next(self.request, next_url) else reverse("logto_account:profile")

    def show(self, *, password_form: PasswordForm | None = None, error: Any = "") -> HttpResponseBase:
        """Return the page with all ways in which the user can prove who they are."""
        account = self.user_account
        has_method = account.get("hasSecurityVerificationMethod", False)
        # Logto does not say whether there is a password if the field is Off. It checks one nevertheless.
        has_password = account.get("hasPassword", has_method)
        if not (has_password or self.addresses):
            if has_method and (missing := self.missing_scopes):
                return self.scopes_response(missing)
            return self.show_without_method()
        return self.render(
            {
                "password_form": (password_form or PasswordForm()) if has_password else None,
                "addresses": self.addresses,
                "error": error,
                "next_url": self.next_url,
            }
        )

    @sensitive_variables()
    def show_code_form(self, form: CodeForm, step: dict[str, Any]) -> HttpResponseBase:
        """Return the page that asks for the code that was sent."""
        address = OwnAddress(step["kind"], step["address"])
        return self.render({"code_form": form, "address": address, "other_ways_url": verification_url(self.next_url)})

    def show_without_method(self) -> HttpResponseBase:
        """Return the page for a user who has neither a password nor an address: they set a password first."""
        url = with_next(reverse("logto_account:password"), self.next_url) if self.may_edit("password") else ""
        return self.render({"has_no_method": True, "set_password_url": url})

    @property
    def missing_scopes(self) -> list[str]:
        """The scopes without which the addresses of the user are unknown."""
        return [scope for _field, _claim, scope in ADDRESSES.values() if not self.account.has_scopes(scope)]

    @cached_property
    def addresses(self) -> list[OwnAddress]:
        """The user's present addresses. If the account center hides a field, the claims have the address."""
        account: Any = self.user_account
        claims = session_principal(self.request).claims
        found = []
        for kind, (field, claim, scope) in ADDRESSES.items():
            value = claims.get(claim) if self.permission(kind) == "Off" else account.get(field)
            if value and isinstance(value, str) and self.account.has_scopes(scope):
                found.append(OwnAddress(kind, masked(value)))
        return found


def masked(address: str) -> str:
    """Return an e-mail address with the first letter and the domain, or a phone number with the last digits."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    shown = 4 if len(address) > 8 else 2
    return f"•••{address[-shown:]}"

"""The pages of passkeys: add one in the browser, rename it, remove it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.account_api.types import Factor
from logto_auth.exceptions import CodeExpired, InvalidValue
from logto_auth.oidc.secrets import Secret

from .devices import device_name
from .factors import STEP_EXPIRED, FactorPage, added_at, remove_with_backup_codes
from .page import AccountPage
from .steps import find_step, seal_step

__all__ = ["AddPasskeyPage", "PasskeyPage", "may_edit_passkeys", "passkey_name"]

logger = logging.getLogger("logto_auth")

MAX_NAME_LENGTH = 64
# Some authenticators send a chain of certificates, of some kilobytes.
MAX_CREDENTIAL_LENGTH = 64 * 1024
# What Logto accepts as the way a passkey is reached. A browser may send newer ones.
TRANSPORTS = ("usb", "nfc", "ble", "internal", "cable", "hybrid", "smart-card")
ATTACHMENTS = ("cross-platform", "platform")

BAD_CREDENTIAL = _("Your browser did not create a passkey. Please try again.")
WRONG_ORIGIN = _("Logto does not accept passkeys that are created on this site.")
WRONG_ORIGIN_REMEDY = _(
    "Add the origin of this site to webauthnRelatedOrigins of the account center, with the Management API or with "
    "logto_setup. The host of Logto has to be a parent domain of the site's host, or list the site in "
    "/.well-known/webauthn."
)


class NameForm(forms.Form):
    """The name of a passkey."""

    name = forms.CharField(
        label=_("Passkey name"),
        max_length=MAX_NAME_LENGTH,
        help_text=_("A name by which you recognize it, such as the name of your device."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class PasskeyForm(NameForm):
    """A new passkey. The script of the page fills in the credential."""

    step = forms.CharField(required=False, widget=forms.HiddenInput)
    credential = forms.CharField(
        required=False, strip=False, max_length=MAX_CREDENTIAL_LENGTH, widget=forms.HiddenInput
    )


def passkey_name(factor: Factor) -> str:
    """Return the name of a passkey, else a readable one of the browser that created it."""
    return factor.get("name") or device_name(factor.get("agent") or "")


def may_edit_passkeys(page: AccountPage) -> bool:
    """Return whether users may change passkeys: by the field `passkey`, or `mfa` in a Logto without that field."""
    return page.may_edit(passkey_field(page))


def passkey_field(page: AccountPage) -> str:
    """Return the field of the account center that decides about passkeys."""
    return "passkey" if "passkey" in page.center["fields"] else "mfa"


class PasskeysPage(FactorPage):
    """A page that changes passkeys."""

    factor_type = "WebAuthn"

    @property
    def changed_field(self) -> str:
        """The field of the account center that must be Edit."""
        return passkey_field(self)


class AddPasskeyPage(PasskeysPage):
    """Add a passkey. The browser creates it, which needs JavaScript."""

    template_name = "passkeys.html"
    actions = {"": "add", "add": "add"}
    purpose = "passkey"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page with a new challenge."""
        if not self.is_offered:
            return self.render({"is_offered": False})
        return self.new_challenge()

    @sensitive_variables()
    def new_challenge(
        self, error: str | Promise = "", *, name: str | None = None, remedy: str | Promise = ""
    ) -> HttpResponse:
        """Return the page with a new challenge from Logto, and `error` above it. Raise LogtoError."""
        registration = self.account.passkey_options()
        step = seal_step(
            self.request, self.purpose, {"record": registration.id.reveal()}, expires_at=registration.expires_at
        )
        if name is None:
            name = device_name(self.request.headers.get("User-Agent", ""))[:MAX_NAME_LENGTH]
        return self.render(
            {
                "is_offered": True,
                "form": PasskeyForm(initial={"step": step, "name": name}),
                "options": json.dumps(registration.options),
                "error": error,
                "remedy": remedy if self.is_for_staff else "",
                "wrong_origin": WRONG_ORIGIN,
            }
        )

    @sensitive_variables()
    def add(self) -> HttpResponseBase:
        """Add the passkey that the browser has created. Raise LogtoError."""
        form = PasskeyForm(self.request.POST)
        name = self.request.POST.get("name", "")[:MAX_NAME_LENGTH]
        step = find_step(self.request, self.purpose, self.request.POST.get("step", ""))
        if step is None:
            return self.new_challenge(STEP_EXPIRED, name=name)
        credential = credential_in(self.request.POST.get("credential", ""))
        if credential is None or not form.is_valid():
            # The browser cannot create the same passkey twice, so a wrong name loses it, too.
            return self.new_challenge(BAD_CREDENTIAL, name=name)
        record_id = Secret(step["record"])
        try:
            self.account.verify_passkey(record_id, credential)
            self.account.add_passkey(record_id, name=form.cleaned_data["name"])
        except CodeExpired as error:
            self.log(error)
            return self.new_challenge(STEP_EXPIRED, name=name)
        except InvalidValue as error:
            if not is_about_origin(error):
                self.log(error)
                return self.new_challenge(BAD_CREDENTIAL, name=name)
            logger.error("Account page: %s %s", error, WRONG_ORIGIN_REMEDY, extra={"code": error.code})
            return self.new_challenge(WRONG_ORIGIN, name=name, remedy=WRONG_ORIGIN_REMEDY)
        return self.done("passkey-added", self.security_url)


def is_about_origin(error: InvalidValue) -> bool:
    """Return whether Logto refuses a passkey because of the site on which it was created.

    Logto gives only an English sentence, of the library that it uses.
    """
    message = error.data.get("message") if isinstance(error.data, Mapping) else None
    is_refused = error.code == "session.mfa.webauthn_verification_failed"
    return is_refused and any(word in str(message).lower() for word in ("origin", "rp id"))


def credential_in(text: str) -> dict[str, Any] | None:
    """Return the credential that the script of the page has sent, with what Logto knows of it; None if it is none.

    Logto checks the challenge, the origin and the signature.
    """
    try:
        value: Any = json.loads(text) if len(text) <= MAX_CREDENTIAL_LENGTH else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("response"), dict):
        return None
    response = value["response"]
    texts = [value.get("id"), value.get("rawId"), response.get("clientDataJSON"), response.get("attestationObject")]
    if not all(isinstance(each, str) and each for each in texts):
        return None
    transports = response.get("transports")
    attachment = value.get("authenticatorAttachment")
    return {
        "id": texts[0],
        "rawId": texts[1],
        "response": {
            "clientDataJSON": texts[2],
            "attestationObject": texts[3],
            "transports": [name for name in TRANSPORTS if isinstance(transports, list) and name in transports],
        },
        **({"authenticatorAttachment": attachment} if attachment in ATTACHMENTS else {}),
        "clientExtensionResults": {},
    }


class PasskeyPage(PasskeysPage):
    """Rename or remove a passkey."""

    template_name = "passkey.html"
    actions = {"rename": "rename", "remove": "remove"}

    def get(self, request: HttpRequest, factor_id: str) -> HttpResponseBase:
        """Return the page. Raise Http404 if the user has no such passkey."""
        return self.render_passkey(self.passkey(factor_id))

    def passkey(self, factor_id: str) -> Factor:
        """Return the passkey. Raise Http404 if the user has none of this id, LogtoError."""
        found = next((each for each in self.factors.passkeys if each["id"] == factor_id), None)
        if found is None:
            raise Http404("The user has no such passkey.")
        return found

    def render_passkey(self, passkey: Factor, form: NameForm | None = None) -> HttpResponse:
        """Return the page of a passkey."""
        return self.render(
            {
                "form": form or NameForm(initial={"name": passkey_name(passkey)}),
                "name": passkey_name(passkey),
                "added_at": added_at(passkey),
                "takes_backup_codes_along": self.factors.takes_backup_codes_along(passkey),
            }
        )

    def rename(self, factor_id: str) -> HttpResponseBase:
        """Rename the passkey. Raise Http404 or LogtoError."""
        passkey, form = self.passkey(factor_id), NameForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form, "name"):
                self.account.rename_factor(passkey["id"], form.cleaned_data["name"])
        if form.errors:
            return self.render_passkey(passkey, form)
        return self.done("passkey-renamed", self.security_url)

    def remove(self, factor_id: str) -> HttpResponseBase:
        """Remove the passkey. One that is gone already counts as removed. Raise LogtoError."""
        for passkey in self.factors.passkeys:
            if passkey["id"] == factor_id:
                remove_with_backup_codes(self.account, self.factors, passkey)
        return self.done("passkey-removed", self.security_url)

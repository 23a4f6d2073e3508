"""The page that shows how an account is protected: password, addresses, and second factors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from logto_auth.conf import conf
from logto_auth.sessions.public_settings import sign_in_experience

from .factors import FACTOR_TEXTS, ContinuedPage, Factors, added_at, offered_factors
from .navigation import url_of
from .passkeys import may_edit_passkeys, passkey_name
from .policy import may_choose_at_sign_in

__all__ = ["SecurityPage"]


@dataclass(frozen=True)
class ShownPasskey:
    """A passkey as the page shows it. `url` is "" if the user may not change it."""

    name: str
    added_at: datetime | None
    url: str


class SecurityPage(ContinuedPage):
    """Show the ways to sign in and the second factors, with links to change them. At most two calls."""

    template_name = "security.html"
    section = "security"
    scopes = ("profile", "identities")
    done_texts = FACTOR_TEXTS

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page."""
        account = self.user_account
        delete_url = url_of("delete") if conf.delete_account else ""
        return self.render(
            {
                "account": account,
                # Logto does not say whether there is a password if the field is Off.
                "shows_password": self.permission("password") != "Off",
                "shows_sign_in_methods": any(self.permission(each) != "Off" for each in ("password", "email", "phone")),
                "delete_url": delete_url,
                "continue_url": self.continue_url,
                **self.edit_urls(),
                **self.factor_context(),
            }
        )

    def edit_urls(self) -> dict[str, Any]:
        """Return the URL of the page that changes a field, by field; "" if the user may not change it."""
        return {
            f"{field}_url": url_of(field) if self.may_edit(field) else ""
            for field in ("password", "email", "phone", "username")
        }

    def factor_context(self) -> dict[str, Any]:
        """Return what the page shows of second factors; nothing if the account center hides them. Raise LogtoError."""
        if self.permission("mfa") == "Off":
            # Logto does not list passkeys without this field. They can still be added.
            may_add = may_edit_passkeys(self) and "WebAuthn" in offered_factors()
            return {"add_passkey_url": self.continued_url_of("passkeys") if may_add else ""}
        factors, offered = Factors.of(self.account.factors()), offered_factors()
        may_edit, may_edit_passkey = self.may_edit("mfa"), may_edit_passkeys(self)
        return {
            "shows_factors": True,
            "factors": factors,
            "authenticator_app_url": self.continued_url_of("authenticator-app") if may_edit else "",
            "offers_authenticator_app": "Totp" in offered,
            "at_sign_in_url": self.continued_url_of("factor-at-sign-in")
            if may_edit and factors.has_main_factor and may_choose_at_sign_in(sign_in_experience())
            else "",
            "backup_codes_url": self.continued_url_of("backup-codes") if may_edit else "",
            "offers_backup_codes": "BackupCode" in offered,
            "passkeys": [
                ShownPasskey(
                    name=passkey_name(each),
                    added_at=added_at(each),
                    url=self.continued_url_of("passkey", each["id"]) if may_edit_passkey else "",
                )
                for each in factors.passkeys
            ],
            "add_passkey_url": self.continued_url_of("passkeys") if may_edit_passkey and "WebAuthn" in offered else "",
            "offers_passkeys": "WebAuthn" in offered,
        }

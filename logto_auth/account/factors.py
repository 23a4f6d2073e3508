"""The pages of the second factors, except passkeys: the authenticator app and the backup codes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from logto_auth.account_api.types import BackupCode, Factor, TotpSecret
from logto_auth.conf import conf
from logto_auth.exceptions import FieldNotEditable, InvalidValue
from logto_auth.oidc.secrets import Secret
from logto_auth.sessions.account import SessionAccount
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.public_settings import sign_in_experience
from logto_auth.sign_in.next_url import is_allowed_next, with_query

from .forms import CodeForm, StepForm
from .navigation import url_of
from .page import AccountPage
from .policy import factors_on, has_passkey_sign_in, may_choose_at_sign_in
from .qr_code import qr_code_svg
from .steps import find_step, seal_step
from .times import local_time
from .verification import with_next

__all__ = [
    "FACTOR_TEXTS",
    "AuthenticatorAppPage",
    "BackupCodesPage",
    "ContinuedPage",
    "FactorAtSignInPage",
    "FactorPage",
    "Factors",
]

FACTOR_TEXTS: dict[str, str | Promise] = {
    "authenticator-app-added": _("Your authenticator app has been set up."),
    "authenticator-app-replaced": _("Your authenticator app has been replaced. The former one no longer works."),
    "authenticator-app-removed": _("Your authenticator app has been removed."),
    "backup-codes-added": _("Your backup codes are active. Former codes no longer work."),
    "backup-codes-removed": _("Your backup codes have been removed."),
    "factor-at-sign-in-on": _("You are asked for your second factor when you sign in."),
    "factor-at-sign-in-off": _("You are no longer asked for your second factor when you sign in."),
    "passkey-added": _("Your passkey has been added."),
    "passkey-renamed": _("Your passkey has been renamed."),
    "passkey-removed": _("Your passkey has been removed."),
}
STEP_EXPIRED = _("This page was open for too long. Please try again.")
# Characters of a secret between two spaces.
GROUP_LENGTH = 4


@dataclass(frozen=True)
class Factors:
    """The second factors of a user."""

    totp: Factor | None
    passkeys: tuple[Factor, ...]
    backup_codes: tuple[Factor, ...]

    @classmethod
    def of(cls, factors: Iterable[Factor]) -> Factors:
        """Return the factors that Logto has listed."""
        by_type: dict[str, list[Factor]] = {}
        for factor in factors:
            if factor.get("id"):
                by_type.setdefault(factor.get("type", ""), []).append(factor)
        return cls(
            totp=next(iter(by_type.get("Totp", ())), None),
            passkeys=tuple(by_type.get("WebAuthn", ())),
            backup_codes=tuple(by_type.get("BackupCode", ())),
        )

    @property
    def has_main_factor(self) -> bool:
        """Whether there is a factor beside backup codes, which cannot be alone."""
        return self.totp is not None or bool(self.passkeys)

    @property
    def codes_left(self) -> int:
        """How many backup codes have not been used."""
        return sum(factor.get("remainCodes") or 0 for factor in self.backup_codes)

    def takes_backup_codes_along(self, factor: Factor) -> bool:
        """Return whether the backup codes have to go with `factor`, because they would be alone."""
        others = [each for each in (self.totp, *self.passkeys) if each is not None and each["id"] != factor["id"]]
        return bool(self.backup_codes) and not others


def added_at(factor: Factor) -> datetime | None:
    """Return when the factor was added, None if Logto does not say."""
    return local_time(factor.get("createdAt"))


def remove(account: SessionAccount, factor: Factor) -> None:
    """Remove a factor. It may be gone already. Raise LogtoError."""
    try:
        account.remove_factor(factor["id"])
    except InvalidValue as error:
        if error.field != "factor":
            raise


def remove_with_backup_codes(account: SessionAccount, factors: Factors, factor: Factor) -> None:
    """Remove a factor that is not backup codes, and the backup codes if they would be alone. Raise LogtoError."""
    # The codes first: if the second call fails, the main factor still protects the account.
    for each in factors.backup_codes if factors.takes_backup_codes_along(factor) else ():
        remove(account, each)
    remove(account, factor)


class ContinuedPage(AccountPage):
    """A page that keeps `?next=`, the page that has sent the user here, until they have changed what that page needs.

    Its links and its redirects to pages of this kind have the same `next`.
    """

    @cached_property
    def continue_url(self) -> str:
        """The page that has sent the user here; "" if none has, or a sign-in could not lead there."""
        next_url = self.request.GET.get(REDIRECT_FIELD_NAME, "")
        return next_url if next_url and is_allowed_next(self.request, next_url) else ""

    @property
    def url(self) -> str:
        """The URL path of this page, with `next`."""
        return self.continued(super().url)

    def continued(self, url: str) -> str:
        """Return the URL of a page of this kind with `next`; "" if there is no such page."""
        return with_next(url, self.continue_url) if url and self.continue_url else url

    def continued_url_of(self, name: str, *args: str) -> str:
        """Return the URL of the page `name` with `next`; "" if the site has left that page out."""
        return self.continued(url_of(name, *args))


class FactorPage(ContinuedPage):
    """A page that changes the second factors, for a user who has just proved who they are."""

    section = "security"
    scopes = ("identities",)
    done_texts = FACTOR_TEXTS
    factor_type: ClassVar[str]
    """Logto's name of the kind of factor."""

    def check(self) -> HttpResponseBase | None:
        """Return None if the user may change factors and has proved who they are."""
        response = super().check()
        if response is not None:
            return response
        field = self.changed_field
        if not self.may_edit(field):
            raise FieldNotEditable(f"The field {field} of the account center is not Edit.", field=field)
        return None if self.account.is_verified else self.verification_response()

    @property
    def changed_field(self) -> str:
        """The field of the account center that must be Edit."""
        return "mfa"

    def render(self, context: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """Return the page, with a link back to the page of all factors."""
        return super().render({"security_url": self.security_url, **(context or {})}, status=status)

    @cached_property
    def factors(self) -> Factors:
        """The factors of the user, by one call. Raise LogtoError."""
        return Factors.of(self.account.factors())

    @property
    def is_offered(self) -> bool:
        """Whether Logto lets users add this kind of factor. Raise ProviderError."""
        return self.factor_type in offered_factors()

    @property
    def security_url(self) -> str:
        """The URL of the page with all factors."""
        return self.continued_url_of("security")


def offered_factors() -> frozenset[str]:
    """Return the kinds of factors that users may add. Raise ProviderError."""
    experience = sign_in_experience()
    # A passkey can be a way to sign in without being a second factor.
    return factors_on(experience) | ({"WebAuthn"} if has_passkey_sign_in(experience) else frozenset())


# The authenticator app


class AuthenticatorAppForm(CodeForm):
    """The first code of the app, which proves that it has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = gettext("The six digits that the app shows for this account.")


class AuthenticatorAppPage(FactorPage):
    """Set up, replace and remove the authenticator app."""

    template_name = "authenticator_app.html"
    factor_type = "Totp"
    actions = {"add": "add", "remove": "remove"}
    purpose = "authenticator-app"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page with a new secret, or with the app that is set up."""
        if self.factors.totp is not None and "replace" not in request.GET:
            return self.render(
                {
                    "factor": self.factors.totp,
                    "added_at": added_at(self.factors.totp),
                    "is_offered": self.is_offered,
                    "replace_url": with_query(self.url, {"replace": "1"}),
                    "takes_backup_codes_along": self.factors.takes_backup_codes_along(self.factors.totp),
                }
            )
        if not self.is_offered:
            return self.render({"is_offered": False})
        return self.new_secret()

    @sensitive_variables()
    def new_secret(self, error: str | Promise = "") -> HttpResponse:
        """Return the page with a new secret from Logto, and `error` above it. Raise LogtoError."""
        secret, replaces = self.account.generate_totp_secret(), self.factors.totp is not None
        step = seal_step(self.request, self.purpose, {"secret": secret.secret.reveal(), "replaces": replaces})
        return self.render_secret(AuthenticatorAppForm(initial={"step": step}), secret, replaces=replaces, error=error)

    @sensitive_variables()
    def render_secret(
        self, form: AuthenticatorAppForm, secret: TotpSecret, *, replaces: bool, error: str | Promise = ""
    ) -> HttpResponse:
        """Return the page with a secret and the form for the first code."""
        text = secret.secret.reveal()
        uri = secret.uri(issuer=self.issuer, account_name=account_name(self.request))
        return self.render(
            {
                "is_offered": True,
                "form": form,
                "error": error,
                "replaces": replaces,
                "secret": " ".join(text[i : i + GROUP_LENGTH] for i in range(0, len(text), GROUP_LENGTH)),
                "uri": uri.reveal(),
                "qr_code": qr_code_svg(uri),
            }
        )

    @property
    def issuer(self) -> str:
        """What the app shows beside the account: the host of Logto, where the codes are asked for."""
        return urlsplit(conf.endpoint).hostname or "Logto"

    @sensitive_variables()
    def add(self) -> HttpResponseBase:
        """Add the app, or replace the former one. Raise LogtoError."""
        step = find_step(self.request, self.purpose, self.request.POST.get("step", ""))
        if step is None:
            return self.new_secret(STEP_EXPIRED)
        form = AuthenticatorAppForm(self.request.POST)
        secret, replaces = TotpSecret(Secret(step["secret"])), step["replaces"]
        if form.is_valid():
            change = self.account.replace_totp if replaces else self.account.add_totp
            with self.form_errors(form, "code"):
                change(secret.secret, form.cleaned_data["code"])
        if form.errors:
            return self.render_secret(form, secret, replaces=replaces)
        return self.done("authenticator-app-replaced" if replaces else "authenticator-app-added", self.security_url)

    def remove(self) -> HttpResponseBase:
        """Remove the app. Raise LogtoError."""
        if self.factors.totp is not None:
            remove_with_backup_codes(self.account, self.factors, self.factors.totp)
        return self.done("authenticator-app-removed", self.security_url)


def account_name(request: HttpRequest) -> str:
    """Return what the user calls their account at Logto."""
    claims = session_principal(request).claims
    names = (claims.get(name) for name in ("email", "username", "phone_number", "name", "sub"))
    return next((name for name in names if isinstance(name, str) and name), "")


# Being asked at sign-in


class FactorAtSignInPage(FactorPage):
    """Turn on and off that Logto asks for a second factor at sign-in, if its policy leaves that to the user."""

    template_name = "factor_at_sign_in.html"
    actions = {"turn-on": "turn_on", "turn-off": "turn_off"}

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page."""
        if not may_choose_at_sign_in(sign_in_experience()):
            return self.render({"may_choose": False})
        is_on = self.account.mfa_settings().get("skipMfaOnSignIn") is not True
        return self.render({"may_choose": True, "is_on": is_on})

    def turn_on(self) -> HttpResponseBase:
        """Let Logto ask. Raise LogtoError."""
        self.account.update_mfa_settings(skip_at_sign_in=False)
        return self.redirect("factor-at-sign-in-on", self.security_url)

    def turn_off(self) -> HttpResponseBase:
        """Let Logto not ask. Raise LogtoError."""
        self.account.update_mfa_settings(skip_at_sign_in=True)
        return self.redirect("factor-at-sign-in-off", self.security_url)


# Backup codes


class SavedForm(StepForm):
    """The user says that they have saved the codes."""

    saved = forms.BooleanField(label=_("I have saved these codes"))


class BackupCodesPage(FactorPage):
    """Make, show, replace and remove the backup codes."""

    template_name = "backup_codes.html"
    factor_type = "BackupCode"
    actions = {"generate": "generate", "activate": "activate", "download": "download", "remove": "remove"}
    purpose = "backup-codes"

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page with the present codes."""
        return self.render_present()

    def render_present(self, error: str | Promise = "") -> HttpResponse:
        """Return the page with the present codes, and `error` above them. Raise LogtoError."""
        return self.render(
            {
                "codes": self.present_codes(),
                "codes_left": self.factors.codes_left,
                "has_codes": bool(self.factors.backup_codes),
                "has_main_factor": self.factors.has_main_factor,
                "is_offered": self.is_offered,
                "error": error,
            }
        )

    @sensitive_variables()
    def present_codes(self) -> list[BackupCode]:
        """Return the codes of the user; none if there are none. Raise LogtoError."""
        if self.factors.backup_codes:
            # They may be gone since they were listed.
            with suppress(InvalidValue):
                return self.account.backup_codes()
        return []

    @sensitive_variables()
    def generate(self) -> HttpResponseBase:
        """Return the page with new codes, which are not active yet. Raise LogtoError."""
        if not (self.factors.has_main_factor and self.is_offered):
            return self.render_present()
        codes = self.account.generate_backup_codes()
        step = seal_step(self.request, self.purpose, {"codes": codes})
        return self.render_new(SavedForm(initial={"step": step}), codes)

    @sensitive_variables()
    def render_new(self, form: SavedForm, codes: list[str]) -> HttpResponse:
        """Return the page with codes that are not active yet."""
        return self.render({"form": form, "new_codes": codes, "step": form["step"].value()})

    @sensitive_variables()
    def activate(self) -> HttpResponseBase:
        """Make the new codes those of the user. Raise LogtoError."""
        codes = self.new_codes()
        if codes is None:
            return self.render_present(STEP_EXPIRED)
        form = SavedForm(self.request.POST)
        if form.is_valid():
            with self.form_errors(form):
                self.replace(codes)
        if form.errors:
            return self.render_new(form, codes)
        return self.done("backup-codes-added", self.security_url)

    @sensitive_variables()
    def replace(self, codes: list[str]) -> None:
        """Remove the former codes and add `codes`. Raise LogtoError.

        Logto refuses new codes while the user has unused ones. If the second call fails, the form can be sent again.
        """
        if not (self.factors.has_main_factor and self.is_offered):
            raise InvalidValue(
                "Backup codes cannot be the only factor.",
                code="session.mfa.backup_code_can_not_be_alone",
                field="backup_codes",
            )
        for former in self.factors.backup_codes:
            remove(self.account, former)
        self.account.add_backup_codes(codes)

    @sensitive_variables()
    def new_codes(self) -> list[str] | None:
        """Return the codes of the form; None if it is too old."""
        step = find_step(self.request, self.purpose, self.request.POST.get("step", ""))
        return None if step is None else step["codes"]

    @sensitive_variables()
    def download(self) -> HttpResponseBase:
        """Return a file with the new codes, or with the present ones that have not been used. Raise LogtoError."""
        codes = self.new_codes() if self.request.POST.get("step") else self.unused_codes()
        if not codes:
            return self.render_present(STEP_EXPIRED)
        title = gettext("Backup codes for %(name)s at %(host)s") % {
            "name": account_name(self.request),
            "host": urlsplit(conf.endpoint).hostname,
        }
        lines = [title, gettext("Each code can be used once, in place of the code of your app."), "", *codes, ""]
        response = HttpResponse("\r\n".join(lines), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="backup-codes.txt"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    @sensitive_variables()
    def unused_codes(self) -> list[str]:
        """Return the codes of the user that can still be used. Raise LogtoError."""
        return [each["code"] for each in self.present_codes() if not each.get("usedAt")]

    def remove(self) -> HttpResponseBase:
        """Remove the codes. Raise LogtoError."""
        for former in self.factors.backup_codes:
            remove(self.account, former)
        return self.done("backup-codes-removed", self.security_url)

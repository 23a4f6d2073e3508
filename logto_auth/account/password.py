"""The page for the password."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_script_prefix
from django.utils.functional import cached_property
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from logto_auth.account_api.types import AccountCenter
from logto_auth.exceptions import FieldNotEditable, LogtoError, PasswordRejected, VerificationRequired
from logto_auth.pages.sentences import joined
from logto_auth.sessions.public_settings import account_center, sign_in_experience
from logto_auth.sign_in.next_url import is_allowed_next

from .forms import NewPasswordForm
from .navigation import url_of
from .other_sessions import end_other_sessions, ended_text
from .page import AccountPage

__all__ = ["PasswordPage", "policy_rules", "rejection_text"]

# Logto's defaults, for a policy that does not set them.
DEFAULT_MIN_LENGTH = 8
DEFAULT_CHARACTER_TYPES = 1


class PasswordPage(AccountPage):
    """Set the first password, or change it. A change ends the user's other sessions, which Logto leaves open."""

    template_name = "password.html"
    section = "security"
    scopes = ()
    field = "password"
    uses_sign_in_experience = True
    actions = {"save": "save"}
    done_texts = {
        "password-changed": _("Your password has been changed."),
        "password-set": _("Your password has been set."),
    }

    @cached_property
    def center(self) -> AccountCenter:
        """The settings of the account center, which a page that only asks for the verification needs, too."""
        shows_rules = self.request.method == "GET" and (
            self.account.is_verified or not self.user_account.get("hasSecurityVerificationMethod", True)
        )
        return super().center if shows_rules else account_center()

    def get(self, request: Any) -> HttpResponseBase:
        """Return the page, or the redirect to the verification of the user."""
        if not self.may_edit("password"):
            return self.page(None)
        refusal = self.require_verification(next_url=request.get_full_path(), unless_impossible=True)
        return refusal or self.page(NewPasswordForm())

    def page(self, form: NewPasswordForm | None) -> HttpResponse:
        """Return the page with `form`, if the user may change the password."""
        account = self.shown_account
        if account and "hasPassword" not in account and self.account.has_scopes("profile"):
            raise FieldNotEditable("The field password of the account center is Off.", field=self.field)
        return self.render(
            {
                "form": form,
                "rules": list(self.rules()) if form else [],
                "has_password": self.has_password,
                "username": self.login_name,
                "back_url": url_of("security") or url_of("profile"),
            }
        )

    @property
    def has_password(self) -> bool:
        """Whether the user has a password, if Logto says it; True otherwise."""
        return bool(self.shown_account.get("hasPassword", True))

    @property
    def login_name(self) -> str:
        """What a password manager stores the password under."""
        account = self.shown_account
        return str(account.get("username") or account.get("primaryEmail") or account.get("primaryPhone") or "")

    @property
    def next_url(self) -> str:
        """Where the user goes after the change: the page that needs a password, else the overview."""
        next_url = self.request.GET.get(REDIRECT_FIELD_NAME, "")
        if next_url and is_allowed_next(self.request, next_url):
            return next_url
        return url_of("security") or url_of("profile") or get_script_prefix()

    def rules(self) -> Iterable[str]:
        """Return the password policy in words; nothing if it cannot be fetched. Logto checks the password anyway."""
        try:
            return policy_rules(sign_in_experience().get("passwordPolicy") or {})
        except LogtoError as error:
            self.log(error)
            return []

    def save(self) -> HttpResponseBase:
        """Set the password, end the other sessions, and return the redirect."""
        form = NewPasswordForm(self.request.POST)
        if not form.is_valid():
            return self.page(form)
        if refusal := self.require_verification(next_url=self.request.get_full_path(), unless_impossible=True):
            return refusal
        had_password = self.has_password
        try:
            with self.form_errors(form, "new_password"):
                self.account.set_password(form.cleaned_data["new_password"])
                ended = end_other_sessions(self.request)
                word = "password-changed" if had_password else "password-set"
                return self.done(word, self.next_url, text=joined([str(self.done_texts[word]), ended_text(ended)]))
        except VerificationRequired:
            # A password is not kept: the user enters it again.
            return self.verification_response(self.request.get_full_path())
        return self.page(form)

    def form_text(self, error: LogtoError) -> str:
        """Return the sentence for the form: each reason why Logto does not accept a password."""
        if isinstance(error, PasswordRejected) and error.reasons:
            return joined(rejection_text(code, values) for code, values in error.reasons)
        return super().form_text(error)


def policy_rules(policy: Mapping[str, Any]) -> Iterable[str]:
    """Yield the rules of Logto's password policy, as sentences."""
    length = policy.get("length") or {}
    minimum = int(length.get("min", DEFAULT_MIN_LENGTH))
    yield ngettext("At least %(count)s character.", "At least %(count)s characters.", minimum) % {"count": minimum}
    types = int((policy.get("characterTypes") or {}).get("min", DEFAULT_CHARACTER_TYPES))
    if types > 1:
        yield _character_types(types)
    rejects = policy.get("rejects") or {}
    if rejects.get("repetitionAndSequence", True):
        yield gettext("No repeated characters or sequences, such as aaaa or 1234.")
    if rejects.get("userInfo", True):
        yield gettext("Not your name, username, e-mail address or phone number.")
    if rejects.get("pwned", True):
        yield gettext("Not a password that is known to be leaked.")
    if rejects.get("words"):
        yield gettext("No words that this site does not allow.")


def _character_types(minimum: int) -> str:
    return ngettext(
        "At least %(count)s of these: capital letters, small letters, digits, symbols.",
        "At least %(count)s of these: capital letters, small letters, digits, symbols.",
        minimum,
    ) % {"count": minimum}


def rejection_text(code: str, values: Mapping[str, Any]) -> str:
    """Return why Logto does not accept a password, from one of the reasons in its answer."""
    reason = code.removeprefix("password_rejected.")
    count = values.get("min") if isinstance(values.get("min"), int) else None
    if reason == "too_short" and count is not None:
        return ngettext(
            "It is too short: use at least %(count)s character.",
            "It is too short: use at least %(count)s characters.",
            count,
        ) % {"count": count}
    if reason == "character_types" and count is not None:
        return _character_types(count)
    return str(REJECTIONS.get(reason, _("It does not meet the rules for passwords.")))


REJECTIONS = {
    "too_short": _("It is too short."),
    "too_long": _("It is too long."),
    "character_types": _("It has too few kinds of characters."),
    "unsupported_characters": _("It contains a character that is not allowed."),
    "pwned": _("It is known from a data leak, so it is not safe."),
    "restricted.repetition": _("It contains too many repeated characters."),
    "restricted.sequence": _("It contains a sequence, such as 1234 or abcd."),
    "restricted.user_info": _("It contains your name, username, e-mail address or phone number."),
    "restricted.words": _("It contains a word that is not allowed."),
}

"""Why a user has not proved a second factor, and where they set one up: for the page that asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from enum import Enum
from typing import TypeVar

from django.http import HttpRequest

from logto_auth.access.requirements import SecondFactor
from logto_auth.account_api.types import AccountCenter, Factor, SignInExperience
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.sessions.principal import SessionPrincipal
from logto_auth.sessions.public_settings import account_center, sign_in_experience

from .links import account_url
from .navigation import url_of
from .policy import factors_on, has_passkey_sign_in, is_adaptive, may_skip_at_sign_in
from .verification import with_next

__all__ = ["MissingFactor", "reason_for", "set_up_url"]

logger = logging.getLogger("logto_auth")

R = TypeVar("R")

# Logto names a method as a factor that a tenant offers, and as the record of a sign-in.
METHODS_BY_FACTOR = {
    "Totp": "Totp",
    "WebAuthn": "WebAuthn",
    "BackupCode": "BackupCode",
    "EmailVerificationCode": "MfaEmailVerificationCode",
    "PhoneVerificationCode": "MfaPhoneVerificationCode",
}
# By the method: the claim with the address to which Logto sends the code, and the scope of the claim.
ADDRESSES = {"MfaEmailVerificationCode": ("email", "email"), "MfaPhoneVerificationCode": ("phone_number", "phone")}


class MissingFactor(str, Enum):
    """Why a second factor is missing. The value is the code on the page and in the log."""

    WITHOUT_LOGTO = "signed_in_without_logto"
    """The user has signed in without Logto, or acts as another user."""
    NOT_REPORTED = "methods_not_reported"
    """Logto has asked for a sign-in, and its access token does not say how: the script is missing, or it fails."""
    NOT_KNOWN = "methods_not_known"
    """Logto does not say how the user signed in, and has not asked: a new sign-in tells."""
    SINGLE_SIGN_ON = "single_sign_on"
    """The user signed in by enterprise single sign-on, after which Logto asks for no second factor."""
    NOT_OFFERED = "not_offered"
    """The tenant offers no second factor that counts."""
    ADAPTIVE = "adaptive"
    """Logto asks for a second factor only if a sign-in looks unusual."""
    NOT_SET_UP = "not_set_up"
    """The user has no second factor that counts."""
    TURNED_OFF = "turned_off"
    """The user does not want to be asked at sign-in, and the tenant allows that."""
    OTHER_METHOD = "other_method"
    """The user has used a second factor that does not count."""
    TOO_OLD = "too_old"
    """The user used the second factor too long ago, or nobody knows when."""
    NOT_ASKED = "not_asked"
    """Logto did not ask, and it is not known why."""

    @property
    def may_end_by_sign_in(self) -> bool:
        """Whether another sign-in may help."""
        return self in {self.NOT_REPORTED, self.NOT_KNOWN, self.OTHER_METHOD, self.TOO_OLD, self.NOT_ASKED}

    @property
    def is_for_user(self) -> bool:
        """Whether the user changes it in their account at Logto."""
        return self in {self.NOT_SET_UP, self.TURNED_OFF}

    @property
    def is_for_operator(self) -> bool:
        """Whether only the operator of the site can change it."""
        return self in {self.NOT_REPORTED, self.NOT_OFFERED, self.ADAPTIVE}


def reason_for(principal: SessionPrincipal, second_factor: SecondFactor) -> MissingFactor:
    """Return why a signed-in user does not meet `second_factor`.

    At most two calls for the user: their factors and their settings. Those of the tenant are in the cache for a minute.
    What cannot be fetched counts as unknown.
    """
    if not principal.is_authenticated:
        return MissingFactor.WITHOUT_LOGTO
    used = set(principal.authentication_methods)
    if not used.isdisjoint(second_factor.methods):
        return MissingFactor.TOO_OLD
    if not principal.has_authentication_methods:
        return MissingFactor.NOT_REPORTED if _was_asked_to_sign_in(principal) else MissingFactor.NOT_KNOWN
    if "EnterpriseSso" in used:
        return MissingFactor.SINGLE_SIGN_ON
    return _reason_at_logto(principal, second_factor, has_used_other=not used.isdisjoint(SECOND_FACTORS))


def _reason_at_logto(
    principal: SessionPrincipal, second_factor: SecondFactor, *, has_used_other: bool
) -> MissingFactor:
    experience = _known(sign_in_experience)
    counting = set(second_factor.methods)
    if experience is not None:
        counting &= offered_methods(experience)
        if not counting:
            return MissingFactor.NOT_OFFERED
        if is_adaptive(experience) and not has_used_other:
            return MissingFactor.ADAPTIVE
    # Without the scope, Logto would only refuse.
    may_ask = principal.account.has_scopes("identities")
    factors = _known(principal.account.factors) if may_ask else None
    if factors is not None and not _may_have(principal, factors, counting):
        return MissingFactor.NOT_SET_UP
    if has_used_other:
        return MissingFactor.OTHER_METHOD
    if may_ask and (experience is None or may_skip_at_sign_in(experience)):
        settings = _known(principal.account.mfa_settings)
        if settings is not None and settings.get("skipMfaOnSignIn") is True:
            return MissingFactor.TURNED_OFF
    return MissingFactor.NOT_ASKED


def _was_asked_to_sign_in(principal: SessionPrincipal) -> bool:
    """Return whether the user entered their credentials for this session: Logto has kept how they signed in.

    A sign-in without a page at Logto may lack the methods in a tenant that is set up correctly.
    """
    stored, auth_time = principal.own_session, principal.claims.get("auth_time")
    return (
        stored is not None
        and isinstance(auth_time, int | float)
        and auth_time >= stored.started_at - conf.clock_skew_seconds
    )


def offered_methods(experience: SignInExperience) -> set[str]:
    """Return the methods that the tenant offers as a second factor, or in place of one."""
    methods = {METHODS_BY_FACTOR[factor] for factor in factors_on(experience) if factor in METHODS_BY_FACTOR}
    if has_passkey_sign_in(experience):
        methods.add("SignInPasskey")
    return methods


def _may_have(principal: SessionPrincipal, factors: Collection[Factor], counting: set[str]) -> bool:
    """Return whether the user has a factor of one of the methods `counting`, or may have one that Logto does not list.

    Logto lists no codes to the user's own addresses.
    """
    types = {factor.get("type") for factor in factors if factor.get("remainCodes") != 0}
    if not types.isdisjoint(counting) or ("SignInPasskey" in counting and "WebAuthn" in types):
        return True
    return any(
        principal.claims.get(claim) or not principal.account.has_scopes(scope)
        for method, (claim, scope) in ADDRESSES.items()
        if method in counting
    )


def _known(fetch: Callable[[], R]) -> R | None:
    """Return what `fetch` returns; None if Logto does not respond, or refuses."""
    try:
        return fetch()
    except LogtoError as error:
        logger.info("The page of the second factor does without an answer of Logto: %s (%s)", error, error.code)
        return None


def set_up_url(request: HttpRequest, reason: MissingFactor, second_factor: SecondFactor, back_url: str) -> str:
    """Return the URL where the user changes what `reason` says; "" if there is none, or no change is possible.

    It is a page of this site, or else of Logto's Account Center. Both lead to `back_url` where possible.
    """
    if not (reason.is_for_user or reason is MissingFactor.NOT_ASKED):
        return ""
    center = _known(account_center)
    task = _task(reason, second_factor.methods)
    if center is not None and not (center["enabled"] and _may_edit(center, task)):
        return ""
    if url := url_of("factor-at-sign-in" if reason is MissingFactor.TURNED_OFF else "security"):
        return with_next(url, back_url)
    return account_url(request, task) if task == "security" else account_url(request, task, next=back_url)


def _task(reason: MissingFactor, methods: Collection[str]) -> str:
    """Return the task or the page of Logto's Account Center."""
    if reason is MissingFactor.NOT_SET_UP and "Totp" in methods:
        return "authenticator-app"
    if reason is MissingFactor.NOT_SET_UP and "WebAuthn" in methods:
        return "passkey/add"
    return "security"


def _may_edit(center: AccountCenter, task: str) -> bool:
    fields = center["fields"]
    # A Logto without the field for passkeys uses that for second factors.
    name = "passkey" if task == "passkey/add" and "passkey" in fields else "mfa"
    return fields.get(name) == "Edit"

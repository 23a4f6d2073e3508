"""Who may act as whom, and the start of an impersonation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unicodedata import category

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from logto_auth.access.principal import django_request
from logto_auth.batches import Cause, batch
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, ImpersonationRefused, NotRecorded, SignInRefused
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.signals import impersonation_refused, impersonation_started
from logto_auth.users.accepted import accepted_user
from logto_auth.users.current_request import unwrapped
from logto_auth.users.provisioning import update
from logto_auth.users.rights import has_admin_rights

from . import exchanged_tokens, store
from .impersonation import PERMISSION, Impersonation, as_django_request, begin, record_of, return_to_own_session
from .principal import SessionPrincipal, request_principal
from .store import StoredSession

__all__ = [
    "MAX_REASON_LENGTH",
    "REFUSAL_TEXTS",
    "check_may_impersonate",
    "has_impersonation_permission",
    "is_protected",
    "may_impersonate",
    "start_impersonation",
]

MAX_REASON_LENGTH = 500

# What the staff member reads, by the code of the refusal.
REFUSAL_TEXTS: dict[str, str | Promise] = {
    "impersonation_not_permitted": _("You are not permitted to act as users."),
    "impersonation_without_logto": _("Sign in through Logto first. Then you can act as users."),
    "impersonation_nested": _("You act as a user already. Leave that first."),
    "impersonation_of_oneself": _("This is your own account."),
    "impersonation_user_inactive": _("This account is not active, here or at Logto."),
    "impersonation_not_linked": _("This account is not linked to a user at Logto."),
    "impersonation_of_staff": _("Nobody can act as staff, or as a person who may act as users."),
    "impersonation_reason_missing": _("Write a reason, in up to 500 characters."),
    "impersonation_refused_by_site": _("This site does not permit you to act as this user."),
}


def start_impersonation(request: HttpRequest, user: Any, *, reason: str, seconds: int | None = None) -> Impersonation:
    """Let the user of `request` act as `user`, from the response to this request on, and return the impersonation.

    It lasts `seconds`, at most and by default `LOGTO_IMPERSONATION_SECONDS`. Raise ImpersonationRefused if it is not
    permitted, with the status 400 if `reason` is empty or too long; NotRecorded if `LOGTO_AUDIT_REQUIRED` is set and
    the start cannot be recorded; ConfigurationError if the site may not exchange tokens or has no
    machine-to-machine application; ProviderError and ManagementAPIError if Logto fails; ValueError if `seconds` is less
    than 1.
    """
    if seconds is not None and seconds < 1:
        raise ValueError(f"An impersonation cannot last {seconds} seconds.")
    seconds = min(seconds or conf.impersonation_seconds, conf.impersonation_seconds)
    with as_django_request(request) as own:
        return _start_or_refuse(own, user, _one_line(reason), seconds)


def _start_or_refuse(request: HttpRequest, user: Any, reason: str, seconds: int) -> Impersonation:
    """Start, or send `impersonation_refused`."""
    if not hasattr(request, "impersonation"):
        raise ConfigurationError("Support access needs logto_auth.middleware.LogtoMiddleware in MIDDLEWARE.")
    try:
        allowed = _check(request, user)
        _check_reason(reason)
        return _start(request, allowed, reason, seconds)
    except ImpersonationRefused as error:
        impersonation_refused.send_robust(
            sender=type(user),
            request=request,
            user=user,
            impersonator=_who_acts(request),
            code=error.code,
            reason=reason[:MAX_REASON_LENGTH],
        )
        raise


def check_may_impersonate(request: HttpRequest, user: Any) -> None:
    """Raise ImpersonationRefused if the user of `request` may not act as `user`. It does not call Logto."""
    _check(django_request(request), user)


def may_impersonate(request: HttpRequest, user: Any = None) -> bool:
    """Return whether the user of `request` may act as `user`; without one, whether they may act as any."""
    request = django_request(request)
    try:
        if user is None:
            _check_staff(request)
        else:
            _check(request, user)
    except ImpersonationRefused:
        return False
    return True


# The rules


@dataclass(frozen=True)
class _Allowed:
    """What the start needs."""

    identity: LogtoIdentity
    own_session: StoredSession


def _check(request: HttpRequest, user: Any) -> _Allowed:
    own_session = _check_staff(request)
    if user.pk is None or user.pk == request.user.pk:
        raise _refused("impersonation_of_oneself", "Staff cannot act as themselves.")
    try:
        # What the caller has read may be old, or have the permissions of another time.
        user = accepted_user(user.pk)
    except SignInRefused as error:
        raise _refused("impersonation_user_inactive", str(error)) from error
    if is_protected(user):
        raise _refused("impersonation_of_staff", "The user is staff, or may act as users.")
    identity = LogtoIdentity.objects.filter(user_id=user.pk, issuer=conf.issuer).order_by("pk").first()
    if identity is None:
        raise _refused("impersonation_not_linked", "The user has no identity at the configured Logto.")
    if identity.status != UserStatus.ACTIVE:
        raise _refused("impersonation_user_inactive", f"The user is {identity.status} at Logto.")
    identity.user = user
    _ask_site(request, user)
    return _Allowed(identity, own_session)


def _check_staff(request: HttpRequest) -> StoredSession:
    """Return the row of the staff member's own session. Raise ImpersonationRefused if they may not act as anybody."""
    session = getattr(request, "session", None)
    if getattr(request, "impersonation", None) is not None or (session is not None and record_of(session) is not None):
        raise _refused("impersonation_nested", "Staff act as a user already.")
    if not has_impersonation_permission(request.user):
        raise _refused("impersonation_not_permitted", "The user is not staff, or lacks the permission.")
    principal = request_principal(request)
    own_session = principal.own_session if isinstance(principal, SessionPrincipal) else None
    if own_session is None:
        raise _refused("impersonation_without_logto", "The request has no session that began with a sign-in at Logto.")
    if own_session.is_impersonation:
        raise _refused("impersonation_nested", "The session is an impersonation.")
    return own_session


def has_impersonation_permission(user: Any) -> bool:
    """Return whether `user` is active, is staff and has the permission. False for a user model without `is_staff`."""
    return bool(
        getattr(user, "is_active", False)
        and getattr(user, "is_staff", False)
        and hasattr(user, "has_perm")
        and user.has_perm(PERMISSION)
    )


def is_protected(user: Any) -> bool:
    """Return whether nobody may act as `user`: staff, superusers, and those who may act as users."""
    return has_admin_rights(user) or bool(hasattr(user, "has_perm") and user.has_perm(PERMISSION))


def _ask_site(request: HttpRequest, user: Any) -> None:
    if conf.impersonation_allowed and not import_string(conf.impersonation_allowed)(request, user):
        raise _refused("impersonation_refused_by_site", "LOGTO_IMPERSONATION_ALLOWED has refused it.")


def _one_line(text: str) -> str:
    """Return `text` with single spaces, and without control characters and halves of surrogate pairs.

    They come from JSON, not from forms. A log, a page or a database may not accept them.
    """
    return " ".join("".join(" " if category(each) in ("Cc", "Cs") else each for each in text).split())


def _check_reason(reason: str) -> None:
    # A text of blanks, dots or invisible characters is none.
    if not any(character.isalnum() for character in reason):
        raise _refused("impersonation_reason_missing", "The reason is empty.", status=400)
    if len(reason) > MAX_REASON_LENGTH:
        text = f"The reason has more than {MAX_REASON_LENGTH} characters."
        raise _refused("impersonation_reason_missing", text, status=400)


def _refused(code: str, message: str, *, status: int = 403) -> ImpersonationRefused:
    return ImpersonationRefused(message, code=code, status=status)


def _who_acts(request: HttpRequest) -> Any:
    """Return the person at the browser, None for a visitor."""
    user = getattr(request, "impersonator", None) or request.user
    return user if user.is_authenticated else None


# The start


def _start(request: HttpRequest, allowed: _Allowed, reason: str, seconds: int) -> Impersonation:
    identity = allowed.identity
    try:
        token_set = exchanged_tokens.new_tokens(identity.sub)
        with batch(Cause.LOGTO):
            update(identity, token_set.id_token_claims)
        identity.user = accepted_user(identity.user_id)  # type: ignore[assignment]
    except SignInRefused as error:
        raise _refused("impersonation_user_inactive", str(error)) from error
    # Logto may just have made them staff.
    if is_protected(identity.user):
        raise _refused("impersonation_of_staff", "By the claims of Logto, the user is staff now.")
    # It may have ended during the calls.
    if store.read(allowed.own_session.id) is None:
        raise _refused("impersonation_without_logto", "The session of the staff member has ended.")
    impersonator = unwrapped(request.user)
    impersonation = begin(request, identity, token_set, own_session=allowed.own_session, reason=reason, seconds=seconds)
    try:
        with batch(Cause.STAFF, request) as changes:
            changes.must_be_recorded = True
            impersonation_started.send_robust(
                sender=type(identity.user),
                request=request,
                user=identity.user,
                impersonator=impersonator,
                reason=reason,
                seconds=seconds,
            )
    except NotRecorded:
        _undo(request)
        raise
    return impersonation


def _undo(request: HttpRequest) -> None:
    """Return to the staff member's own session, as if nothing had begun."""
    session_id, record = store.session_id(request.session), record_of(request.session)
    if session_id is not None:
        LogtoSession.objects.filter(pk=session_id).end()
    if record is not None:
        return_to_own_session(request, record)

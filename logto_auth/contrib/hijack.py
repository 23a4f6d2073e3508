"""django-hijack with the rules of support access, for sites that use it already. Needs the extra `hijack`.

    INSTALLED_APPS = ["hijack", "logto_auth.contrib.hijack.LogtoHijackConfig", ...]
    MIDDLEWARE = [..., "logto_auth.middleware.LogtoMiddleware", "logto_auth.contrib.hijack.HijackMiddleware", ...]
    HIJACK_PERMISSION_CHECK = "logto_auth.contrib.hijack.may_hijack"

The session of the staff member depends on their own Logto session meanwhile, and has it again afterwards. Support
access of this package does more: a reason, a time limit, `request.logto` of the user, and a session of its own.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject

from logto_auth.signals import impersonation_ended, impersonation_refused, impersonation_started
from logto_auth.users.current_request import answered_request

if find_spec("hijack") is None:
    raise ImportError('This needs django-hijack, which is not installed: pip install "logto_auth[hijack]"')

__all__ = ["HijackMiddleware", "LogtoHijackConfig", "may_hijack"]

# In Django's session: when the impersonation began, in seconds since the epoch; and that of django-hijack: the primary
# keys of the staff members, the latest one last.
STARTED_KEY = "_logto_hijack_started_at"
HISTORY_KEY = "hijack_history"


class LogtoHijackConfig(AppConfig):
    """Connects the receivers of django-hijack's signals, in each process."""

    name = "logto_auth.contrib.hijack"
    label = "logto_auth_hijack"

    def ready(self) -> None:
        from hijack.signals import hijack_ended, hijack_started

        hijack_started.connect(started, dispatch_uid="logto_auth")
        hijack_ended.connect(ended, dispatch_uid="logto_auth")
        user_logged_out.connect(signed_out, dispatch_uid="logto_auth.contrib.hijack")


class HijackMiddleware(MiddlewareMixin):
    """Sets `request.impersonator`, whom the audit trail then names. Put it right after `LogtoMiddleware`."""

    def process_request(self, request: HttpRequest) -> None:
        """Set the staff member who has hijacked the user of the session."""
        history = request.session.get(HISTORY_KEY)
        if history:
            request.impersonator = SimpleLazyObject(lambda: _user(history[-1]))  # type: ignore[attr-defined]
            request._logto_hijack_started_at = request.session.get(STARTED_KEY)  # type: ignore[attr-defined]


def may_hijack(*, hijacker: Any, hijacked: Any) -> bool:
    """Return whether `hijacker` may act as `hijacked` in the current request, by the rules of support access.

    False outside of a request. If a view of django-hijack has asked, a refusal is a signal and an audit event.
    """
    from logto_auth.exceptions import ImpersonationRefused
    from logto_auth.impersonation import check_may_impersonate

    request = answered_request()
    if request is None or not hijacked or request.user != hijacker:
        return False
    try:
        check_may_impersonate(request, hijacked)
    except ImpersonationRefused as error:
        if getattr(request.resolver_match, "view_name", "") == "hijack:acquire":
            impersonation_refused.send_robust(
                sender=get_user_model(),
                request=request,
                user=hijacked,
                impersonator=hijacker,
                code=error.code,
                reason="",
            )
        return False
    return True


def started(request: HttpRequest, hijacker: Any, hijacked: Any, **kwargs: Any) -> None:
    """Let the session depend on the Logto session of the staff member."""
    from logto_auth.sessions import keep_logto_session

    keep_logto_session(request)
    request.session[STARTED_KEY] = time.time()
    impersonation_started.send_robust(
        sender=get_user_model(), request=request, user=hijacked, impersonator=hijacker, reason="", seconds=None
    )


def ended(request: HttpRequest, hijacker: Any, hijacked: Any, **kwargs: Any) -> None:
    """Let the staff member have their own session again."""
    from logto_auth.sessions import keep_logto_session

    keep_logto_session(request)
    _send_ended(request, hijacker, hijacked, "left")


def signed_out(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Send the signal for a staff member who signs out while they act as a user."""
    impersonator = getattr(request, "impersonator", None)
    if user is not None and impersonator is not None and request.session.get(HISTORY_KEY):
        _send_ended(request, impersonator, user, "signed_out")


def _send_ended(request: HttpRequest, impersonator: Any, user: Any, cause: str) -> None:
    began_at = getattr(request, "_logto_hijack_started_at", None)
    seconds = None if began_at is None else time.time() - began_at
    request.impersonator = None  # type: ignore[attr-defined]
    impersonation_ended.send_robust(
        sender=get_user_model(), request=request, user=user, impersonator=impersonator, seconds=seconds, cause=cause
    )


def _user(pk: str) -> Any:
    """Return the user; None if the account was deleted."""
    return get_user_model()._base_manager.filter(pk=pk).first()

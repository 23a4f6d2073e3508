"""The endpoint that Logto's script calls when a sign-in with a password has failed.

The answer is `{"verified": true}` if Logto may store the password, and `{"verified": false}` for every other password
and user. Refused calls have an error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.generic import View

from logto_auth.conf import Conf, conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.origins import is_loopback
from logto_auth.raw_body import BodyRefused, read_body
from logto_auth.tenant.password_migration import MIN_KEY_LENGTH
from logto_auth.tenant.site import password_migration_keys
from logto_auth.transactions import non_atomic

from .accounts import is_over
from .calls import MAX_BODY_BYTES, Call, Refused, read_call
from .checking import has_sample, verify
from .limits import count_attempt, forget_attempts, is_replayed
from .signature import is_signed

__all__ = ["PasswordCheckView"]

logger = logging.getLogger("logto_auth")

TIME_HEADER, SIGNATURE_HEADER = "logto-auth-time", "logto-auth-signature"
# What proxies add. A proxy on this machine may also send its own address and name, so it looks like Logto's script.
PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
# Logto's script sends the call at once.
MAX_AGE_SECONDS = 60


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class PasswordCheckView(View):
    """Answer whether a password is right and may move to Logto."""

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it: Logto stores the password all the same."""
        return non_atomic(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            return JsonResponse({"verified": _is_verified(_signed_call(request))})
        except Refused as refusal:
            log = logger.error if refusal.status >= 500 else logger.warning
            log("A call of the password migration was refused: %s", refusal)
            return JsonResponse({"error": refusal.code, "error_description": str(refusal)}, status=refusal.status)


@sensitive_variables()
def _signed_call(request: HttpRequest) -> Call:
    """Return the call if Logto's script has signed it, and for the first time. Raise Refused."""
    if not _is_confidential(request):
        raise Refused(
            "Passwords are accepted over HTTPS only. Behind a proxy, set SECURE_PROXY_SSL_HEADER.",
            code="https_required",
            status=403,
        )
    if not (keys := password_migration_keys()):
        raise Refused(
            f"{Conf.password_migration_key.name} is not set, or has fewer than {MIN_KEY_LENGTH} characters.",
            code="not_configured",
            status=503,
        )
    try:
        body = read_body(request, max_bytes=MAX_BODY_BYTES)
    except BodyRefused as error:
        raise Refused(str(error), code=error.code, status=error.status) from None
    sent_at, signature = request.headers.get(TIME_HEADER, ""), request.headers.get(SIGNATURE_HEADER, "")
    if not is_signed(sent_at, body, signature, keys):
        raise Refused(
            f"The header {SIGNATURE_HEADER} is not the signature of the call with {Conf.password_migration_key.name}.",
            code="invalid_signature",
            status=401,
        )
    _check_time(sent_at)
    _check_first(signature)
    return read_call(body)


def _is_confidential(request: HttpRequest) -> bool:
    """Return whether the call came over HTTPS, or from this machine to this machine without a proxy, or to DEBUG."""
    if request.is_secure() or settings.DEBUG:
        return True
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    host, address = request.get_host(), str(request.META.get("REMOTE_ADDR", ""))
    bracketed = f"[{address}]" if ":" in address else address
    return is_loopback(f"//{host}") and is_loopback(f"//{bracketed}")


def _check_time(sent_at: str) -> None:
    # It is signed, so the script has made it. Its form decides nothing but whether it can be compared.
    is_time = sent_at.isascii() and sent_at.isdigit() and len(sent_at) <= 12
    if not is_time or abs(time.time() - int(sent_at)) > MAX_AGE_SECONDS + conf.clock_skew_seconds:
        raise Refused(
            "The call is outside the accepted time window. Check the clocks.", code="expired_signature", status=401
        )


def _check_first(signature: str) -> None:
    window_seconds = 2 * (MAX_AGE_SECONDS + conf.clock_skew_seconds) + 1
    if _counted(lambda: is_replayed(signature, period_seconds=window_seconds)):
        raise Refused("The call came before.", code="repeated_signature", status=401)


@sensitive_variables()
def _is_verified(call: Call) -> bool:
    """Return the answer. Raise Refused."""
    if _counted(lambda: count_attempt(call.subject)):
        raise Refused("There were too many attempts.", code="too_many_attempts", status=429)
    if _is_closed():
        return False
    try:
        is_verified = verify(call.sub, call.password)
    except (ConfigurationError, LogtoError) as error:
        raise Refused(f"Logto could not be asked: {error}", code="logto_unavailable", status=503) from error
    if is_verified:
        logger.info("Logto stores the password of its user %s, which this site has confirmed.", call.sub)
        forget_attempts(call.subject)
    return is_verified


def _is_closed() -> bool:
    try:
        return is_over() or not has_sample()
    except ConfigurationError as error:
        raise Refused(str(error), code="not_configured", status=503) from error


def _counted(count: Callable[[], bool]) -> bool:
    try:
        return count()
    except Exception as error:  # each cache backend raises errors of its own
        logger.exception("A call of the password migration was refused, because the cache does not work.")
        raise Refused(
            "Attempts cannot be counted, because the cache of this site does not work.",
            code="attempts_not_counted",
            status=503,
        ) from error

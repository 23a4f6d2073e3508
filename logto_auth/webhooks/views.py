"""The endpoint for Logto's webhooks.

Logto sends each webhook once, in any order, and does not retry. So a delivery that comes twice or late does no harm
(`ordering`), and the next sign-in or refresh applies what a lost one reported (decision 0015).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from logto_auth.conf import conf
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.raw_body import BodyRefused, read_body
from logto_auth.site_cache import ReplayMemory
from logto_auth.transactions import non_atomic, repeat_after_deadlock

from .events import MIN_SIGNING_KEY_LENGTH, WebhookEvent, WebhookRefused, is_signed, read
from .handlers import apply
from .signals import BY_EVENT, webhook_received

logger = logging.getLogger("logto_auth")

SIGNATURE_HEADER = "logto-signature-sha-256"
# The largest events list ten thousand members.
MAX_BODY_BYTES = 1024 * 1024

# Signatures of the webhooks that have been handled. A repeated webhook changes nothing, because it is not newer than
# the data already stored; skipping it saves the work and the signals.
_handled = ReplayMemory("webhook")


def handle(body: str) -> None:
    """Apply the event in `body` and send its signals. For `LOGTO_WEBHOOK_RUNNER`: the body must have been verified."""
    event = read(body)
    try:
        repeat_after_deadlock(partial(apply, event))
    except Exception:
        # The caller logs the traceback.
        logger.error("The webhook %.60r about %s could not be applied.", event.name, _about(event))
        raise
    finally:
        _send_signals(event)


def _send_signals(event: WebhookEvent) -> None:
    webhook_received.send_robust(sender=WebhookEvent, event=event)
    signal = BY_EVENT.get(event.name)
    if signal is not None:
        signal.send_robust(sender=WebhookEvent, event=event)


def _about(event: WebhookEvent) -> str:
    return event.user_id or event.organization_id or "neither a user nor an organization"


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class WebhookView(View):
    """Receive Logto's webhooks. The response is 204 if the event was applied or passed to `LOGTO_WEBHOOK_RUNNER`."""

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it: a failure must not undo a suspension."""
        return non_atomic(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        signature = request.headers.get(SIGNATURE_HEADER, "")
        try:
            body = _verified_body(request, signature)
            event = _recent_event(body)
        except WebhookRefused as refusal:
            log = logger.error if refusal.status >= 500 else logger.warning
            log("A webhook was refused: %s", refusal)
            return JsonResponse({"error": refusal.code, "error_description": str(refusal)}, status=refusal.status)
        if signature not in _handled:
            _runner()(body)
            _handled.add(signature, timeout_seconds=conf.webhook_max_age_seconds + 2 * conf.clock_skew_seconds)
            logger.info("The webhook %.60r about %s was accepted.", event.name, _about(event))
        return HttpResponse(status=204)


def _runner() -> Callable[[str], None]:
    runner: Callable[[str], None] = import_string(conf.webhook_runner) if conf.webhook_runner else handle
    return runner


def _verified_body(request: HttpRequest, signature: str) -> str:
    """Return the body if Logto has signed it. Raise WebhookRefused."""
    keys = _signing_keys()
    if not keys:
        raise WebhookRefused(
            "LOGTO_WEBHOOK_SIGNING_KEY is not set, or too short for a signing key, so webhooks cannot be verified.",
            code="not_configured",
            status=503,
        )
    body = _body(request)
    if not is_signed(body, signature, keys):
        raise WebhookRefused(
            f"The header {SIGNATURE_HEADER} is not the signature of the body with LOGTO_WEBHOOK_SIGNING_KEY.",
            code="invalid_signature",
            status=401,
        )
    if request.content_type != "application/json":
        raise WebhookRefused("The body is not application/json.", code="invalid_request", status=415)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise WebhookRefused("The body is not in UTF-8.", code="invalid_request", status=400) from error


@hide_frames
def _signing_keys() -> list[Secret]:
    keys = conf.webhook_signing_key
    # An empty key would accept a signature by anyone, and a short one can be guessed.
    return [Secret(key) for key in ([keys] if isinstance(keys, str) else keys) if len(key) >= MIN_SIGNING_KEY_LENGTH]


def _body(request: HttpRequest) -> bytes:
    try:
        return read_body(request, max_bytes=MAX_BODY_BYTES)
    except BodyRefused as error:
        raise WebhookRefused(str(error), code=error.code, status=error.status) from error


def _recent_event(body: str) -> WebhookEvent:
    """Return the event in `body`. Raise WebhookRefused if there is none or its time is not accepted."""
    event = read(body)
    age_seconds, skew_seconds = time.time() - event.at, conf.clock_skew_seconds
    if not -skew_seconds <= age_seconds <= conf.webhook_max_age_seconds + skew_seconds:
        raise WebhookRefused(
            f"The event is from {event.created_at:%Y-%m-%d %H:%M:%S}, "
            "which is outside the accepted time window. Check the clocks.",
            code="invalid_request",
            status=400,
        )
    return event

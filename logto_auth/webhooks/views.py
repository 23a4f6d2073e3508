"""What Logto calls when something happens there: somebody is suspended, renamed, made a member.

Logto calls once, in any order, and does not try again. So whatever is taken is harmless when it comes twice or late
(`order`, `standing`), and what is lost is made up for by the next sign-in or refresh (decision 0015).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import RawPostDataException, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.module_loading import import_string
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from logto_auth.conf import conf
from logto_auth.site_cache import cache_failures_ignored

from .events import WebhookEvent, WebhookRefused, is_signed, read
from .handlers import follow
from .signals import BY_EVENT, webhook_received

logger = logging.getLogger("logto_auth")

SIGNATURE_HEADER = "logto-signature-sha-256"
# The largest there is tells of ten thousand members.
MAX_BODY_BYTES = 1024 * 1024


def handle(body: str) -> None:
    """Do what the event in `body` means here, and send its signals. For runners: the body must have been verified."""
    event = read(body)
    try:
        follow(event)
    except Exception:
        # The traceback is logged by whoever called.
        logger.error("The webhook %.60r about %s could not be followed.", event.name, _about(event))
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
    """Takes Logto's webhooks: 204 when the event has been handled, or given to `LOGTO_WEBHOOK_RUNNER`."""

    http_method_names = ["post"]

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
        if not _is_replay(signature):
            _runner()(body)
            _remember(signature)
            logger.info("The webhook %.60r about %s was taken.", event.name, _about(event))
        return HttpResponse(status=204)


def _runner() -> Callable[[str], None]:
    runner: Callable[[str], None] = import_string(conf.webhook_runner) if conf.webhook_runner else handle
    return runner


def _verified_body(request: HttpRequest, signature: str) -> str:
    """The body, once it is known to be Logto's. Raises WebhookRefused."""
    keys = _signing_keys()
    if not keys:
        raise WebhookRefused(
            "LOGTO_WEBHOOK_SIGNING_KEY is not set, so nothing can be verified.", code="not_configured", status=503
        )
    body = _body(request)
    if not is_signed(body, signature, keys):
        raise WebhookRefused(
            f"The header {SIGNATURE_HEADER} is not the body's signature by LOGTO_WEBHOOK_SIGNING_KEY.",
            code="invalid_signature",
            status=401,
        )
    if request.content_type != "application/json":
        raise WebhookRefused("The body is not application/json.", code="invalid_request", status=415)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise WebhookRefused("The body is not in UTF-8.", code="invalid_request", status=400) from error


def _signing_keys() -> list[str]:
    keys = conf.webhook_signing_key
    # Anybody can sign with no key.
    return [key for key in ([keys] if isinstance(keys, str) else keys) if key]


def _body(request: HttpRequest) -> bytes:
    """The raw body. No more than the limit is read, whether or not it says how long it is."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        body = request.read(MAX_BODY_BYTES + 1) if length <= MAX_BODY_BYTES else None
    except (UnreadablePostError, RawPostDataException) as error:
        raise WebhookRefused("The body cannot be read.", code="invalid_request", status=400) from error
    if body is None or len(body) > MAX_BODY_BYTES:
        raise WebhookRefused(f"The body is larger than {MAX_BODY_BYTES} bytes.", code="content_too_large", status=413)
    return body


def _recent_event(body: str) -> WebhookEvent:
    """The event in `body`. Raises WebhookRefused when it is none, too old, or not yet."""
    event = read(body)
    age, skew = now() - event.created_at, timedelta(seconds=conf.clock_skew_seconds)
    if age < -skew or age > timedelta(seconds=conf.webhook_max_age_seconds) + skew:
        raise WebhookRefused(
            f"The event is from {event.created_at:%Y-%m-%d %H:%M:%S}, which is not of late. Are the clocks right?",
            code="invalid_request",
            status=400,
        )
    return event


# A replay changes nothing, for it is no newer than what it has told. Remembering it saves the work and the signals, and
# no safety depends on the cache.


def _is_replay(signature: str) -> bool:
    """Whether this delivery has been handled before."""
    with cache_failures_ignored():
        return cache.get(_replay_key(signature)) is not None
    return False


def _remember(signature: str) -> None:
    with cache_failures_ignored():
        cache.set(_replay_key(signature), True, timeout=conf.webhook_max_age_seconds + 2 * conf.clock_skew_seconds)


def _replay_key(signature: str) -> str:
    return f"logto_auth:webhook:{hashlib.sha256(signature.encode()).hexdigest()}"

"""The endpoint that hands access tokens to scripts on pages of this site (`LOGTO_BROWSER_TOKENS`, decision 0050)."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect

from logto_auth.access.requirements import MissingRequirement, RequirementKind
from logto_auth.access.responses import (
    forbidden_json,
    is_impersonated,
    not_during_impersonation_response,
    unauthorized_response,
)
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ProviderError
from logto_auth.navigation import is_same_origin_fetch
from logto_auth.sessions.browser_tokens import BrowserToken, browser_token
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import SessionPrincipal, session_principal
from logto_auth.sessions.refresh import REFUSALS
from logto_auth.site_cache import count
from logto_auth.transactions import non_atomic

from .public import PublicView

__all__ = ["BrowserTokenView"]

logger = logging.getLogger("logto_auth")

# Their kind in the cache.
REQUESTS = "browser-token"
# A page needs one token for each resource in ten minutes. A user may open many pages.
MAX_REQUESTS = 30
PERIOD_SECONDS = 60
# Enough for the longest indicator.
MAX_BODY_BYTES = 4096
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@method_decorator(csrf_protect, name="dispatch")
class BrowserTokenView(PublicView):
    """Hand an access token for `resource` to a script on a page of this origin. POST only; 404 without the setting."""

    http_method_names = ["post"]

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it: other requests have to see refreshed tokens."""
        return non_atomic(super().as_view(**initkwargs))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response, which no page of another origin can load. Raise Http404 without the setting."""
        if not conf.browser_tokens:
            raise Http404("LOGTO_BROWSER_TOKENS is empty.")
        response = super().dispatch(request, *args, **kwargs)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return `access_token`, `token_type`, `expires_in` and `scope` as in RFC 6749, section 5.1, or an error."""
        if not is_same_origin_fetch(request, base_url=conf.base_url):
            return _error("cross_origin", "Only a script on a page of this origin can fetch a token.", status=403)
        principal = session_principal(request)
        if not principal.is_authenticated:
            return unauthorized_response(request)
        if is_impersonated(request):
            # Each script that reads the memory of the page could act as the user for as long as the token lives.
            return not_during_impersonation_response(request)
        if _are_too_many(principal):
            return _too_many_requests()
        resource = _requested_resource(request)
        if not resource:
            return _error("invalid_request", 'Expected JSON such as {"resource": "https://…"}, or a form.', status=400)
        scopes = conf.browser_tokens.get(resource)
        if not scopes:
            return _error("invalid_target", "This site hands out no tokens for this resource.", status=400)
        try:
            token = browser_token(principal, resource, scopes)
        except LogtoError as error:
            return _refusal(request, principal, scopes, error)
        return _token_response(token) if token else _forbidden(request, scopes)


def _are_too_many(principal: SessionPrincipal) -> bool:
    """Return whether this session makes too many requests. Without a cache that works, there is no limit.

    A repeated request gets the same token, so the limit saves work, and guards no secret.
    """
    stored = principal.own_session
    try:
        return stored is not None and count(REQUESTS, stored.key, period_seconds=PERIOD_SECONDS) > MAX_REQUESTS
    except Exception:  # each cache backend raises errors of its own
        logger.warning("Requests for access tokens are not limited, because the cache does not work.", exc_info=True)
        return False


def _requested_resource(request: HttpRequest) -> str:
    """Return `resource` of the body; "" if the body is none of a script, or has none."""
    try:
        if request.content_type in FORMS:
            return request.POST.get("resource", "")
        if request.content_type != "application/json" or len(request.body) > MAX_BODY_BYTES:
            return ""
        # JSON is UTF-8 (RFC 8259, section 8.1). Without the codec, Python accepts others.
        body = json.loads(request.body.decode("utf-8"))
    except (UnreadablePostError, ValueError, RecursionError):
        return ""
    resource = body.get("resource") if isinstance(body, dict) else None
    return resource if isinstance(resource, str) else ""


def _token_response(token: BrowserToken) -> HttpResponse:
    return JsonResponse(
        {
            "access_token": token.token.reveal(),
            "token_type": "Bearer",
            "expires_in": token.expires_in,
            "scope": " ".join(sorted(token.scopes)),
        }
    )


def _refusal(
    request: HttpRequest, principal: SessionPrincipal, scopes: Collection[str], error: LogtoError
) -> HttpResponse:
    """Return the response to an error: 401 if the session has ended, 403 if Logto refuses the token, 502 or 503."""
    if isinstance(error, ProviderError) and error.error not in REFUSALS:
        return _unavailable(error)
    if not isinstance(error, ProviderError) and not principal.is_authenticated:
        end_session(request, error)
        return unauthorized_response(request)
    # The sign-in has not requested the resource or a refresh token. A new one does, if the settings have changed since.
    logger.warning("No access token for a script: %s (%s)", error, error.code)
    return _forbidden(request, scopes)


def _forbidden(request: HttpRequest, scopes: Collection[str]) -> HttpResponse:
    """Return the 403 for a user who has none of `scopes`. It offers a sign-in, which brings permissions since then."""
    return forbidden_json(request, MissingRequirement(RequirementKind.SCOPE, tuple(scopes)))


def _unavailable(error: ProviderError) -> HttpResponse:
    logger.error("No access token for a script: %s (%s)", error, error.code)
    description = "Logto does not respond, or sent a response that this site cannot use. Try again later."
    response = _error(error.code, description, status=error.status if error.status >= 500 else 502)
    if error.retry_after_seconds is not None:
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


def _too_many_requests() -> HttpResponse:
    description = f"At most {MAX_REQUESTS} requests of a session in {PERIOD_SECONDS} seconds. Keep the token."
    response = _error("too_many_requests", description, status=429)
    response["Retry-After"] = str(PERIOD_SECONDS)
    return response


def _error(error: str, description: str, *, status: int) -> HttpResponse:
    return JsonResponse({"error": error, "error_description": description}, status=status)

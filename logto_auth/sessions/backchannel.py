"""What Logto calls when somebody signs out there: the sessions that this browser had here end too."""

from __future__ import annotations

import hashlib
import logging
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, TokenError
from logto_auth.models import LogtoSession, make_digest
from logto_auth.oidc.id_tokens import MAX_TOKEN_LENGTH
from logto_auth.oidc.types import LogoutTokenClaims
from logto_auth.site_cache import cache_failures_ignored

logger = logging.getLogger("logto_auth")


@method_decorator([csrf_exempt, login_not_required], name="dispatch")
class BackChannelLogoutView(View):
    """OpenID Connect Back-Channel Logout 1.0: 200 when the sessions are gone, 400 for a token that is not right."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            claims = oidc_client().validate_logout_token(
                _logout_token(request), type_required=conf.logout_token_type_required
            )
        except TokenError as error:
            logger.warning("A back-channel logout was refused: %s", error)
            return JsonResponse({"error": "invalid_request", "error_description": str(error)}, status=400)
        except LogtoError as error:
            logger.error("A back-channel logout could not be checked: %s", error)
            return JsonResponse({"error": "temporarily_unavailable"}, status=503)
        ended = 0
        if not _is_replay(claims):
            ended = _end_sessions(claims)
            _remember(claims)
        logger.info("A back-channel logout ended %d sessions.", ended)
        return HttpResponse(status=200)


def _logout_token(request: HttpRequest) -> str:
    """The token in the form. Other fields mean nothing (section 2.5). Raises TokenError."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        values = request.POST.getlist("logout_token") if length <= MAX_TOKEN_LENGTH else None
    except (BadRequest, LookupError, MultiPartParserError, SuspiciousOperation, ValueError) as error:
        # A length that is no number, a charset that is none, a broken multipart body, a form with too many fields.
        raise TokenError(f"The form cannot be read ({type(error).__name__}).", claim="logout_token") from error
    if values is None:
        raise TokenError(f"The request is larger than {MAX_TOKEN_LENGTH} bytes.", claim="logout_token")
    if len(values) != 1:
        raise TokenError(
            f"Expected a form with one field logout_token, got {len(values)} in {request.content_type!r:.60}.",
            claim="logout_token",
        )
    return values[0]


# A replay could end nothing but what the first one has ended, for sessions that began after the token was issued are
# left alone. Remembering it only saves the work, so a cache that is out of reach costs no safety (decision 0010).


def _is_replay(claims: LogoutTokenClaims) -> bool:
    """Whether this token has done its work before."""
    with cache_failures_ignored():
        return cache.get(_replay_key(claims)) is not None
    return False


def _remember(claims: LogoutTokenClaims) -> None:
    with cache_failures_ignored():
        cache.set(_replay_key(claims), True, timeout=claims.max_age_seconds)


def _replay_key(claims: LogoutTokenClaims) -> str:
    return f"logto_auth:logout:{hashlib.sha256(claims.jti.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _end_sessions(claims: LogoutTokenClaims) -> int:
    """End the sessions that the token names: those of `sid`, or without one all of `sub`."""
    # Two clocks are compared here: a session of this very moment must not escape because Logto's is behind.
    started_by = claims.issued_at + timedelta(seconds=conf.clock_skew_seconds)
    rows = LogtoSession.objects.filter(created_at__lte=started_by, identity__issuer=claims.issuer)
    if claims.sub is not None:
        rows = rows.filter(identity__digest=make_digest(claims.issuer, claims.sub))
    if claims.sid is not None:
        # A session without a sid began before Logto was told to send one; with its person known, it ends as well.
        unnamed = Q(sid="") if claims.sub is not None else Q()
        rows = rows.filter(Q(sid=claims.sid) | unnamed)
    ended: int = rows.end()
    return ended

"""Back-channel logout: when a user signs out at Logto, Logto calls this site, and the sessions of that browser end.

Source: OpenID Connect Back-Channel Logout 1.0.
"""

from __future__ import annotations

import logging
from functools import partial

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from logto_auth.clients import oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, TokenError
from logto_auth.models import LogtoSession
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.oidc.token_checks import MAX_TOKEN_LENGTH
from logto_auth.oidc.types import LogoutTokenClaims
from logto_auth.site_cache import ReplayMemory
from logto_auth.transactions import repeat_after_deadlock

__all__ = ["BackChannelLogoutView"]

logger = logging.getLogger("logto_auth")

# `jti` of the logout tokens that have been handled. A repeated token would end no further session, because a session
# that started after the token was issued is not ended. Skipping it saves the work (decision 0010).
_handled = ReplayMemory("logout")


@method_decorator([csrf_exempt, login_not_required, sensitive_post_parameters("logout_token")], name="dispatch")
class BackChannelLogoutView(View):
    """End the sessions that a logout token names.

    Respond with 200 if they have ended, 400 if the token is invalid, and 503 if Logto's keys cannot be fetched.
    Source: sections 2.5 to 2.8.
    """

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Forbid caching of the response (section 2.8)."""
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    def post(self, request: HttpRequest) -> HttpResponse:
        """Verify the logout token and end the sessions."""
        try:
            claims = oidc_client().validate_logout_token(
                _logout_token(request), type_required=conf.logout_token_type_required
            )
        except TokenError as error:
            logger.warning("A back-channel logout was refused: %s", error)
            return JsonResponse({"error": "invalid_request", "error_description": str(error)}, status=400)
        except LogtoError as error:
            logger.error("A back-channel logout could not be verified: %s", error)
            return JsonResponse({"error": "temporarily_unavailable"}, status=503)
        ended = 0
        if claims.jti not in _handled:
            ended = _end_sessions(claims)
            _handled.add(claims.jti, timeout_seconds=claims.max_age_seconds)
        logger.info("A back-channel logout ended %d sessions.", ended)
        return HttpResponse(status=200)


@hide_frames
def _logout_token(request: HttpRequest) -> Secret:
    """Return the token in the form. Other fields are ignored (section 2.5). Raise TokenError if there is not one."""
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        values = request.POST.getlist("logout_token") if length <= MAX_TOKEN_LENGTH else None
    except (BadRequest, LookupError, MultiPartParserError, SuspiciousOperation, ValueError) as error:
        # The length is no number, the charset is unknown, the multipart body is broken, or there are too many fields.
        raise TokenError(f"The form cannot be read ({type(error).__name__}).", claim="logout_token") from error
    if values is None:
        raise TokenError(f"The request is larger than {MAX_TOKEN_LENGTH} bytes.", claim="logout_token")
    if len(values) != 1:
        raise TokenError(
            f"Expected a form with one field logout_token, got {len(values)} in {request.content_type!r:.60}.",
            claim="logout_token",
        )
    return Secret(values[0])


def _end_sessions(claims: LogoutTokenClaims) -> int:
    """End the sessions with the `sid` of the token, or without one all of its `sub`; return how many there were."""
    # The clock of Logto may be behind: a session that started just now must be ended too.
    started_by = claims.issued_at.timestamp() + conf.clock_skew_seconds
    rows = LogtoSession.objects.filter(started_at__lte=started_by, identity__issuer=claims.issuer)
    if claims.sub is not None:
        rows = rows.of_sub(claims.issuer, claims.sub)
    if claims.sid is not None:
        # A session without a sid started before Logto was set up to send one. It ends as well, if the user is known.
        without_sid = Q(sid="") if claims.sub is not None else Q()
        rows = rows.filter(Q(sid=claims.sid) | without_sid)
    ended: int = repeat_after_deadlock(partial(rows.end, reason="signed_out_at_logto"))
    return ended

"""What a browser calls: sign-in, callback, sign-out."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils.decorators import method_decorator
from django.views.generic import View

from .access.requirements import MissingRequirement, RequirementKind
from .access.responses import forbidden_response
from .backends import backend_path, logto_backend
from .clients import oidc_client
from .conf import conf
from .exceptions import (
    CallbackError,
    InvalidSignInOption,
    LogtoError,
    OrganizationRequired,
    ProviderError,
    ProviderUnreachable,
    SignInRefused,
    TokenError,
)
from .oidc.authorization import SignInOptions
from .oidc.claims import seconds_since_authentication
from .oidc.token_endpoint import clean
from .oidc.types import Claims, TokenSet
from .organizations.memberships import organizations_in
from .sessions import store
from .sessions.context import SessionPrincipal
from .sessions.revalidate import end_session
from .sessions.store import SessionTokens
from .sign_in import state
from .sign_in.error_page import error_response
from .sign_in.start import absolute_uri, options_from_query, redirect_to_logto, safe_next_url
from .signals import signed_in, signed_out

logger = logging.getLogger("logto_auth")

CALLBACK_PARAMETERS = ("code", "state", "iss", "error", "error_description")
MAX_CODE_LENGTH = 2048
# What a tab that comes too late has; whoever is signed in meanwhile can just go on.
STALE_CODES = {"sign_in_cancelled", "state_unknown", "state_expired", "state_used"}
# What a silent round trip may bring that ends the session which it was to confirm.
UNCONFIRMED_CODES = {"access_denied", "authorization_failed", "login_required"}
# What Logto answers to `prompt=none` when it would have to ask.
INTERACTION_ERRORS = {"login_required", "consent_required", "interaction_required", "account_selection_required"}


@method_decorator(login_not_required, name="dispatch")
class FrontDoorView(View):
    """A view that is open to everyone, is never cached or framed, and gives its address to nobody."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Frame-Options"] = "DENY"
        return response


class SignInView(FrontDoorView):
    """Sends the visitor to Logto. `?next=` and the options of `LOGTO_SIGN_IN_QUERY_PARAMETERS` come from the URL."""

    http_method_names = ["get"]
    sign_in_options = SignInOptions()

    def get(self, request: HttpRequest) -> HttpResponse:
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            _refuse_all_but_navigation(request)
            options = options_from_query(request.GET, defaults=self.sign_in_options)
            if options == SignInOptions() and SessionPrincipal(request).is_authenticated:
                return HttpResponseRedirect(next_url)
            return redirect_to_logto(request, next_url=next_url, options=options)
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


class AcceptInvitationView(FrontDoorView):
    """Where the link of an invitation leads: `?token=` is Logto's one-time token, `?email=` whom it was made for.

    The person signs in at Logto by the token, or is registered, and belongs from then on to the organizations that the
    token was made for.
    """

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            _refuse_all_but_navigation(request)
            options = SignInOptions(
                one_time_token=request.GET.get("token", ""),
                login_hint=request.GET.get("email", ""),
                # Whoever is signed in at Logto need not be the person invited.
                prompt="login",
            )
            if not options.one_time_token:
                raise InvalidSignInOption("The link of an invitation needs the one-time token, as token.")
            return redirect_to_logto(request, next_url=next_url, options=options)
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


def _refuse_all_but_navigation(request: HttpRequest) -> None:
    """Raise CallbackError for an image, a frame or a script that would start a sign-in behind the visitor's back."""
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if mode not in (None, "navigate") or destination not in (None, "document"):
        raise CallbackError(
            f"A sign-in was asked for by {mode or 'no mode'!r:.20} {destination or 'no destination'!r:.20}, "
            "expected the navigation of a page.",
            code="not_a_navigation",
            status=403,
        )


class CallbackView(FrontDoorView):
    """Where Logto sends the visitor back: checks everything, signs in, goes on to where the visitor wanted to be."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        started = state.find(request, request.GET.get("state", ""))
        next_url = started.next_url if started else resolve_url(settings.LOGIN_REDIRECT_URL)
        try:
            response: HttpResponse = self.finish(request, started)
        except LogtoError as error:
            if error.code in STALE_CODES and request.user.is_authenticated:
                response = HttpResponseRedirect(next_url)
            elif started and started.is_silent and error.code in UNCONFIRMED_CODES:
                # Logto does not stand behind the session any more; the page says what that means for it.
                if request.user.is_authenticated:
                    end_session(request, error)
                response = HttpResponseRedirect(next_url)
            else:
                response = error_response(request, error, next_url=next_url)
        if started and not started.is_used:
            state.keep(request, response, started.used())
        return response

    def finish(self, request: HttpRequest, started: state.PendingSignIn | None) -> HttpResponseRedirect:
        """Sign the visitor in and redirect to where they wanted to be. Raises LogtoError."""
        _check_parameters(request)
        started = _check_pending(request, started)
        _check_issuer(request)
        code = _authorization_code(request)
        token_set = oidc_client().exchange_code(
            code, redirect_uri=started.redirect_uri, code_verifier=started.code_verifier, nonce=started.nonce
        )
        _check_recency(token_set, started.max_age)
        userinfo = _wanted_userinfo(token_set)
        _check_membership(token_set, started.organization_id)
        self.sign_in(request, token_set, userinfo)
        if started.organization_id:
            store.choose_organization(request.session, started.organization_id)
        return HttpResponseRedirect(started.next_url)

    def sign_in(self, request: HttpRequest, token_set: TokenSet, userinfo: Claims) -> None:
        """Log in the user of verified tokens. Raises SignInRefused."""
        claims = {**userinfo, **token_set.id_token_claims}
        identity, created = logto_backend().identify(claims)
        # A sign-in over a living session: the tokens of the former one are of no use any more.
        store.end(request.session)
        if request.user.is_authenticated:
            # Django changes the key only when somebody else or nobody was signed in before.
            request.session.cycle_key()
        login(request, identity.user, backend=backend_path())
        store.begin(request, identity, token_set, userinfo)
        signed_in.send_robust(
            sender=type(identity.user), request=request, user=identity.user, claims=claims, created=created
        )


def _check_parameters(request: HttpRequest) -> None:
    for name in CALLBACK_PARAMETERS:
        if len(request.GET.getlist(name)) > 1:
            raise CallbackError(f"The callback has the parameter {name} more than once.")


def _check_pending(request: HttpRequest, started: state.PendingSignIn | None) -> state.PendingSignIn:
    if started is None:
        # The Cancel button of Logto's consent page leads here, with nothing in the address.
        if not any(request.GET.get(name) for name in CALLBACK_PARAMETERS):
            raise CallbackError(
                "The callback came without any parameter: cancelled at Logto.", code="sign_in_cancelled"
            )
        raise CallbackError("The state of the callback is unknown to this browser.", code="state_unknown")
    if started.is_used:
        raise CallbackError("The state of the callback has been used before.", code="state_used")
    if started.is_expired:
        raise CallbackError("The sign-in took longer than LOGTO_SIGN_IN_MAX_AGE_SECONDS.", code="state_expired")
    return started


def _check_issuer(request: HttpRequest) -> None:
    """The `iss` of the callback, by plain comparison; Logto always sends one (RFC 9207, section 2.4)."""
    client, iss = oidc_client(), request.GET.get("iss")
    if iss is None and not client.metadata.authorization_response_iss_parameter_supported:
        return
    if iss != client.issuer:
        came = "none" if iss is None else f"{iss!r:.200}"
        raise CallbackError(f"The callback names issuer {came}, expected {client.issuer!r}.", code="issuer_mismatch")


def _authorization_code(request: HttpRequest) -> str:
    """The code of the callback. Raises ProviderError for an error that Logto reports, which a code cannot outweigh."""
    error, code = clean(request.GET.get("error")), request.GET.get("code", "")
    if "error" in request.GET:
        raise _authorization_error(error, clean(request.GET.get("error_description")))
    if not 0 < len(code) <= MAX_CODE_LENGTH or not code.isascii() or not code.isprintable():
        raise CallbackError(
            f"The callback has a code of {len(code)} characters, expected 1 to {MAX_CODE_LENGTH} printable ones."
        )
    return code


def _authorization_error(error: str, description: str) -> ProviderError:
    if error in ("access_denied", "oidc.aborted"):
        code, status = "access_denied", 403
    elif error in INTERACTION_ERRORS:
        code, status = "login_required", 401
    elif error in ("server_error", "temporarily_unavailable"):
        code, status = "provider_error", 502
    else:
        code, status = "authorization_failed", 400
    message = f"Logto ended the sign-in with {error or 'an empty error'}: {description}"
    return ProviderError(message, error=error, error_description=description, code=code, status=status)


def _check_recency(token_set: TokenSet, max_age: int | None) -> None:
    """A sign-in that was to be recent is, by Logto's own word (OpenID Connect Core 1.0, section 3.1.3.7, number 13)."""
    if max_age is None:
        return
    age = seconds_since_authentication(token_set.id_token_claims)
    if age is None or age > max_age + conf.clock_skew_seconds:
        raise TokenError(
            f"The person signed in {'at an unknown time' if age is None else f'{age:.0f} s ago'}, "
            f"expected at most {max_age} s.",
            claim="auth_time",
        )


def _check_membership(token_set: TokenSet, organization_id: str) -> None:
    """A sign-in that is for members of an organization lets no others in. Raises SignInRefused."""
    if organization_id and organization_id not in {each.id for each in organizations_in(token_set.id_token_claims)}:
        raise SignInRefused(
            "The person is no member of the organization. Is urn:logto:scope:organizations among LOGTO_SCOPES?",
            code="not_a_member",
        )


def _wanted_userinfo(token_set: TokenSet) -> Claims:
    """The claims of LOGTO_USERINFO_CLAIMS, from userinfo if the ID token lacks any of them."""
    missing = [name for name in conf.userinfo_claims if name not in token_set.id_token_claims]
    if not missing:
        return {}
    userinfo = oidc_client().userinfo(token_set.access_token, sub=token_set.id_token_claims["sub"])
    return {name: userinfo[name] for name in missing if name in userinfo}


class SignOutView(FrontDoorView):
    """Ends the session here, the refresh token, and the session at Logto; by POST alone."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        began_at_logto = store.is_signed_in(request.session)
        user, tokens = request.user, store.end(request.session)
        home = resolve_url(settings.LOGOUT_REDIRECT_URL or "/")
        logout(request)
        if user.is_authenticated:
            # The user of a request is a proxy, whose type is nobody's model.
            signed_out.send_robust(sender=user.__class__, request=request, user=user)
        if user.is_authenticated and not began_at_logto:
            # Signed in with a password: Logto has no part in it.
            return HttpResponseRedirect(home)
        try:
            url = _sign_out_at_logto(absolute_uri(request, home), tokens)
        except ProviderError as error:
            # The visitor is signed out here whatever Logto does, and is told what is left to do.
            logger.error("Signed out on this site only: %s", error)
            return render(request, "logto_auth/signed_out.html", {"home": home})
        return HttpResponseRedirect(url)


class SignOutOthersView(FrontDoorView):
    """Ends the visitor's other sessions on this site; by POST alone."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        SessionPrincipal(request).end_other_sessions()
        return HttpResponseRedirect(safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME)))


class ChooseOrganizationView(FrontDoorView):
    """Makes an organization the current one, for pages whose address names none; by POST alone."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        next_url = safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME))
        if not request.user.is_authenticated:
            return redirect_to_login(next_url)
        try:
            SessionPrincipal(request).choose_organization(request.POST.get("organization_id", ""))
        except OrganizationRequired:
            return forbidden_response(request, MissingRequirement(RequirementKind.ORGANIZATION))
        return HttpResponseRedirect(next_url)


def _sign_out_at_logto(post_logout_redirect_uri: str, tokens: SessionTokens | None) -> str:
    """Revoke the refresh token, which Logto would leave alive, and return where the browser signs out at Logto."""
    client = oidc_client()
    url = client.end_session_url(
        post_logout_redirect_uri=post_logout_redirect_uri,
        state=secrets.token_urlsafe(16),
        id_token=tokens.id_token if tokens else None,
    )
    if tokens is not None and tokens.refresh_token is not None:
        try:
            client.revoke(tokens.refresh_token)
        except ProviderUnreachable:
            raise
        except ProviderError as error:
            logger.error("The refresh token was not revoked: %s", error)
    return url

"""The end of a sign-in: the redirect URI, to which Logto sends the browser."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url

from logto_auth.backends import backend_path, logto_backend
from logto_auth.batches import Cause, batch
from logto_auth.clients import django_errors, oidc_client
from logto_auth.conf import conf
from logto_auth.exceptions import CallbackError, LogtoError, NotRecorded, ProviderError, SignInRefused, TokenError
from logto_auth.memberships.claims import organizations_in
from logto_auth.oidc.authorization_response import AuthorizationResponse
from logto_auth.oidc.claims import is_numeric_date
from logto_auth.oidc.types import Claims, TokenSet
from logto_auth.sessions import store
from logto_auth.sessions.ending import end_session, sign_out_here
from logto_auth.sessions.impersonation import end_impersonation
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.second_factor import authentication_methods
from logto_auth.sessions.store import SessionTokens
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.one_commit import one_commit
from logto_auth.sign_in.start import repeat_with_consent
from logto_auth.sign_in.state import PendingSignIn, load_pending, save_pending
from logto_auth.signals import signed_in
from logto_auth.telemetry import SIGN_INS, code_for_attribute
from logto_auth.tenant.declaration import RESERVED_SCOPES
from logto_auth.users.provisioning import find_identity
from logto_auth.users.suspension import lift_suspension

from .public import PublicView

__all__ = ["CallbackView"]

logger = logging.getLogger("logto_auth")

# Errors of a tab that finishes its sign-in too late. If the user is signed in by then, the tab goes to its page.
STALE_CODES = {"sign_in_cancelled", "state_unknown", "state_expired", "state_used"}
# Errors of a silent sign-in that end the session, because Logto does not confirm it.
UNCONFIRMED_CODES = {
    "access_denied",
    "authorization_failed",
    "interaction_required",
    "login_required",
    "session_not_confirmed",
}


class CallbackView(PublicView):
    """The redirect URI. Check the response of Logto, sign the user in, and redirect to the page they wanted."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to `next`, or the error page."""
        pending = load_pending(request, request.GET.get("state", ""))
        next_url = pending.next_url if pending else resolve_url(settings.LOGIN_REDIRECT_URL)
        try:
            response: HttpResponse = self.finish(request, pending)
            _count(pending, "success")
        except LogtoError as error:
            _count(pending, error.code)
            response = self._failure_response(request, pending, error, next_url)
        if pending and not pending.is_used:
            save_pending(request, response, pending.as_used())
        return response

    def _failure_response(
        self, request: HttpRequest, pending: PendingSignIn | None, error: LogtoError, next_url: str
    ) -> HttpResponse:
        if error.code in STALE_CODES and request.user.is_authenticated:
            return HttpResponseRedirect(next_url)
        if pending and pending.repeat_options is not None and _is_consent_required(error):
            try:
                return repeat_with_consent(request, pending)
            except LogtoError as repeat_error:
                error = repeat_error
        if pending and pending.is_silent and _is_unconfirmed(error):
            # Logto no longer confirms the session. The next page redirects to the sign-in if it requires one.
            if pending.confirmed_user and _is_session_of(request, pending):
                end_session(request, error)
            return HttpResponseRedirect(next_url)
        return error_response(request, error, next_url=next_url)

    def finish(self, request: HttpRequest, pending: PendingSignIn | None) -> HttpResponseRedirect:
        """Check the response of Logto, sign the user in, and return the redirect to `next`. Raise LogtoError.

        Source: OpenID Connect Core 1.0, sections 3.1.2.7 and 3.1.3; RFC 9207.
        """
        response = _authorization_response(request)
        pending = _check_pending(response, pending)
        if pending.confirmed_user:
            _check_session(request, pending)
        token_set = _exchange_code(response, pending)
        token_set, userinfo = _with_userinfo(token_set, pending, _confirmed_tokens(request, pending))
        _check_membership(token_set, pending.organization_id)
        chosen_organization = pending.organization_id
        if pending.confirmed_user:
            # Again, because the session may have ended during the calls.
            _check_session(request, pending)
            chosen_organization = _check_confirmation(request, token_set)
            token_set = _with_former_proof(token_set, _confirmed_tokens(request, pending))
        # A sign-in that began before: the staff member no longer acts as the user.
        end_impersonation(request)
        with batch(Cause.SIGN_IN, request):
            try:
                self.sign_in(request, token_set, userinfo)
            except SignInRefused:
                # A sign-in that the user has started since the suspension lifts it.
                if pending.is_silent or not lift_suspension(token_set.id_token_claims, started_at=pending.started_at):
                    raise
                self.sign_in(request, token_set, userinfo)
        stored = session_principal(request).stored_session
        if chosen_organization and stored is not None:
            store.choose_organization(stored, chosen_organization)
        return HttpResponseRedirect(pending.next_url)

    def sign_in(self, request: HttpRequest, token_set: TokenSet, userinfo: Claims) -> None:
        """Log in the user of verified tokens and send `signed_in`. Raise SignInRefused if the site refuses the user."""
        claims = {**userinfo, **token_set.id_token_claims}
        with batch(Cause.SIGN_IN, request) as changes:
            identity, created = logto_backend().identify(claims)
            # The user may be signed in already. The tokens of the former session are replaced.
            store.end(request.session)
            if SESSION_KEY in request.session:
                # Django's login() keeps the session key if the same user signs in again.
                request.session.cycle_key()
            not_recorded: NotRecorded | None = None
            with one_commit():
                login(request, identity.user, backend=backend_path())
                stored = store.start_session(request, identity, token_set, userinfo)
                changes.user, changes.claims = identity.user, claims
                try:
                    changes.end()
                except NotRecorded as error:
                    # Not through the transaction: one of the whole request could not go on.
                    not_recorded = error
            if not_recorded is not None:
                sign_out_here(request)
                raise not_recorded
        session_principal(request).remember(stored)
        signed_in.send_robust(
            sender=type(identity.user), request=request, user=identity.user, claims=claims, created=created
        )


def _count(pending: PendingSignIn | None, outcome: str) -> None:
    SIGN_INS.add(outcome=code_for_attribute(outcome), silent=pending is not None and pending.is_silent)


@django_errors
def _authorization_response(request: HttpRequest) -> AuthorizationResponse:
    """Return the parameters of the callback. Raise CallbackError if one is repeated."""
    return AuthorizationResponse.from_parameters(dict(request.GET.lists()))


def _check_pending(response: AuthorizationResponse, pending: PendingSignIn | None) -> PendingSignIn:
    """Return the pending sign-in. Raise CallbackError if there is none, or it is used or expired."""
    if pending is None:
        # The Cancel button of Logto's consent page leads to the callback without any parameter.
        if response.is_empty:
            raise CallbackError("The callback has no parameter: cancelled at Logto.", code="sign_in_cancelled")
        raise CallbackError("The state of the callback is unknown to this browser.", code="state_unknown")
    if pending.is_used:
        raise CallbackError("The state of the callback has been used before.", code="state_used")
    if pending.is_expired:
        raise CallbackError("The sign-in took longer than LOGTO_SIGN_IN_MAX_AGE_SECONDS.", code="state_expired")
    return pending


def _exchange_code(response: AuthorizationResponse, pending: PendingSignIn) -> TokenSet:
    """Return the verified tokens for the code in `response`. Raise LogtoError."""
    client, resource = oidc_client(), pending.second_factor_resource
    token_set = client.exchange_code(
        client.authorization_code(response),
        redirect_uri=pending.redirect_uri,
        code_verifier=pending.code_verifier,
        nonce=pending.nonce,
        max_age_seconds=pending.max_age,
        resource=resource,
    )
    if resource is None:
        return token_set
    token_set = replace(token_set, oidc_scopes=RESERVED_SCOPES.intersection([*conf.scopes, *pending.scopes]))
    if pending.expects_refresh_token and token_set.refresh_token is None:
        # Without `consent`, the methods are those of a former sign-in, and may have been no factor of the user then.
        logger.warning("Logto has issued no refresh token: the prompt in the URL was changed. It proves no method.")
        return token_set
    claims = token_set.id_token_claims
    return replace(
        token_set,
        authentication_methods=authentication_methods(token_set, sub=claims["sub"], is_expected=pending.asks_for_login),
        authentication_methods_at=_authenticated_at(claims, pending),
    )


def _authenticated_at(claims: Claims, pending: PendingSignIn) -> int | None:
    """Return when the user has authenticated in this sign-in, in seconds since the epoch; None if that is unknown."""
    auth_time = claims.get("auth_time")
    if not pending.asks_for_login or not is_numeric_date(auth_time):
        return None
    skew = conf.clock_skew_seconds
    return int(auth_time) if pending.started_at - skew <= auth_time <= time.time() + skew else None


def _check_membership(token_set: TokenSet, organization_id: str) -> None:
    """Raise SignInRefused if an organization is required and the user does not belong to it."""
    if organization_id and organization_id not in {each.id for each in organizations_in(token_set.id_token_claims)}:
        raise SignInRefused(
            "The user is not a member of the organization. Is urn:logto:scope:organizations among LOGTO_SCOPES?",
            code="not_a_member",
        )


def _is_consent_required(error: LogtoError) -> bool:
    return isinstance(error, ProviderError) and error.error == "consent_required"


def _is_unconfirmed(error: LogtoError) -> bool:
    """Return whether Logto does not confirm the session, rather than that it could not be reached."""
    return error.code in UNCONFIRMED_CODES or isinstance(error, SignInRefused | TokenError)


def _is_session_of(request: HttpRequest, pending: PendingSignIn) -> bool:
    """Return whether the session is still that of the user whose session the silent sign-in confirms."""
    return store.as_stored(request.session).get(SESSION_KEY) == pending.confirmed_user


def _check_session(request: HttpRequest, pending: PendingSignIn) -> None:
    """Raise CallbackError if the session that `pending` confirms has ended, or belongs to another user by now."""
    principal = session_principal(request)
    principal.forget()
    has_ended = principal.stored_session is None and store.session_id(request.session) is not None
    if has_ended or not request.user.is_authenticated or not _is_session_of(request, pending):
        raise CallbackError("The session to be confirmed has ended.", code="session_not_confirmed")


def _check_confirmation(request: HttpRequest, token_set: TokenSet) -> str:
    """Return the organization that the user of a confirmed session has chosen; "" if none.

    Raise CallbackError if the silent sign-in does not confirm the session: it must not sign in anybody else.
    """
    claims, stored = token_set.id_token_claims, session_principal(request).stored_session
    identity = find_identity(claims["iss"], claims["sub"])
    if identity is None or identity.user != request.user or (stored is not None and stored.identity_id != identity.pk):
        raise CallbackError("Another user is signed in at Logto than in the session.", code="session_not_confirmed")
    return stored.chosen_organization if stored is not None else ""


def _confirmed_tokens(request: HttpRequest, pending: PendingSignIn) -> SessionTokens | None:
    """Return the tokens of the session that `pending` confirms; None if it confirms none, or one without tokens."""
    stored = session_principal(request).stored_session if pending.confirmed_user else None
    return stored.tokens if stored is not None else None


def _with_former_proof(token_set: TokenSet, former: SessionTokens | None) -> TokenSet:
    """Return `token_set` with the time, and no other second factors, of the session that it confirms."""
    if former is None:
        return token_set
    methods = former.provable(token_set.authentication_methods)
    is_same = former.claims.get("sid") == token_set.id_token_claims.get("sid")
    at = former.authentication_methods_at if is_same else None
    return replace(token_set, authentication_methods=methods, authentication_methods_at=at)


def _with_userinfo(
    token_set: TokenSet, pending: PendingSignIn, former: SessionTokens | None
) -> tuple[TokenSet, Claims]:
    """Return the claims of `LOGTO_USERINFO_CLAIMS` that the ID token lacks, from userinfo. No call if it has all.

    Userinfo needs an opaque access token, so one for a resource is replaced by it, in one more call. Logto issues no
    refresh token for that to a sign-in with `prompt=none`. Such a sign-in keeps the claims in `former`, the tokens of
    the session that it confirms. Raise ProviderError if there is no such session.
    """
    missing = [name for name in conf.userinfo_claims if name not in token_set.id_token_claims]
    if not missing:
        return token_set, {}
    if token_set.resource is not None:
        if token_set.refresh_token is None and former is not None:
            return token_set, {name: value for name, value in former.userinfo.items() if name in missing}
        token_set = _with_opaque_token(token_set, pending)
    userinfo = oidc_client().userinfo(token_set.access_token, sub=token_set.id_token_claims["sub"])
    return token_set, {name: userinfo[name] for name in missing if name in userinfo}


def _with_opaque_token(token_set: TokenSet, pending: PendingSignIn) -> TokenSet:
    """Return `token_set` with an opaque access token. Raise ProviderError if there is no refresh token."""
    if token_set.refresh_token is None:
        raise ProviderError(
            "Logto has issued no refresh token, so that the claims of LOGTO_USERINFO_CLAIMS cannot be fetched with "
            "LOGTO_SECOND_FACTOR. Request offline_access, with another prompt than none.",
            code="interaction_required" if pending.is_silent else "client_rejected",
            status=503,
        )
    opaque = oidc_client().refresh(token_set.refresh_token, claims=token_set.id_token_claims)
    return replace(
        token_set,
        access_token=opaque.access_token,
        expires_at=opaque.expires_at,
        scopes=opaque.scopes,
        refresh_token=opaque.refresh_token or token_set.refresh_token,
        resource=None,
    )

"""The views that a browser opens: sign-in, callback, sign-out, and the choice of an organization."""

from __future__ import annotations

import logging
import re
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY, login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.signals import user_logged_in
from django.contrib.auth.views import redirect_to_login
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import get_script_prefix
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from django.views.generic import View

from .access.requirements import MissingRequirement, RequirementKind
from .access.responses import forbidden_response, prefetch_response, sign_in_page, unauthorized_response
from .backends import backend_path, logto_backend
from .clients import django_errors, oidc_client
from .conf import conf
from .exceptions import (
    CallbackError,
    InvalidSignInOption,
    LogtoError,
    OrganizationRequired,
    ProviderError,
    SignInRefused,
    TokenError,
)
from .navigation import is_from_htmx, is_from_page_library, is_from_script, is_prefetch
from .oidc.authorization import SignInOptions
from .oidc.authorization_response import AuthorizationResponse
from .oidc.secrets import Secret
from .oidc.types import Claims, TokenSet
from .organizations.memberships import organizations_in
from .sessions import store
from .sessions.ending import end_session, sign_out_here, sign_out_url
from .sessions.principal import session_principal
from .sign_in.error_page import error_response
from .sign_in.next_url import safe_next_url
from .sign_in.page import add_headers, render_page
from .sign_in.start import (
    absolute_uri,
    options_from_query,
    redirect_to_base_url,
    redirect_to_logto,
    repeat_with_consent,
)
from .sign_in.state import PendingSignIn, load_pending, save_pending
from .signals import signed_in, signed_out
from .transactions import database
from .users.provisioning import find_identity
from .users.suspension import lift_suspension

__all__ = [
    "AcceptInvitationView",
    "CallbackView",
    "ChooseOrganizationView",
    "SignInView",
    "SignOutOthersView",
    "SignOutView",
]

logger = logging.getLogger("logto_auth")

# As Logto checks it. The page of an invitation must not show other text, which anyone can put into a link.
EMAIL = re.compile(r"\S+@\S+\.\S+")
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
# The receivers of `user_logged_in` on each site: Django's and ours.
OWN_RECEIVERS = {"update_last_login", "logto_auth.sessions.ending.begin_unconfirmed_session"}


@method_decorator(login_not_required, name="dispatch")
class PublicView(View):
    """A view that needs no sign-in. Its responses are never cached or framed."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse a prefetch, which must change nothing, and add the headers to the response."""
        response = prefetch_response() if is_prefetch(request) else super().dispatch(request, *args, **kwargs)
        add_headers(response)
        return response

    def head(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return an empty response: only a GET starts or finishes a sign-in."""
        return HttpResponse()


# Starting a sign-in


class SignInView(PublicView):
    """Redirect to Logto. The URL sets `?next=` and the options that `LOGTO_SIGN_IN_QUERY_PARAMETERS` allows."""

    http_method_names = ["get", "head"]
    sign_in_options = SignInOptions()

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to Logto, or to `next` if the user is signed in and the URL sets no option."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        if is_from_page_library(request):
            return sign_in_page(request, request.get_full_path())
        if is_from_script(request) and request.headers.get("Sec-Fetch-Dest", "empty") == "empty":
            return unauthorized_response(request, request.get_full_path())
        try:
            options = options_from_query(request.GET, defaults=self.sign_in_options)
            if options == SignInOptions() and session_principal(request).is_authenticated:
                return HttpResponseRedirect(next_url)
            return redirect_to_logto(request, next_url=next_url, options=options)
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


@method_decorator(csrf_protect, name="dispatch")
class AcceptInvitationView(PublicView):
    """The page of an invitation link: `?token=` is Logto's one-time token, `?email=` the e-mail address it is for.

    It is not among `logto_auth.urls`: a site that sends invitations adds it. The user accepts with a button, signs in
    or registers at Logto with the token, and then belongs to the organizations that the token was issued for.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the page, which shows whom the invitation is for and who is signed in. It changes nothing."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            email = _invitation(request).login_hint
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)
        if moved := redirect_to_base_url(request):
            return moved
        return render_page(request, "accept_invitation.html", {"email": email, "user": request.user})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to Logto."""
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            return redirect_to_logto(request, next_url=next_url, options=_invitation(request))
        except LogtoError as error:
            return error_response(request, error, next_url=next_url)


def _invitation(request: HttpRequest) -> SignInOptions:
    """Return the sign-in options of an invitation link. Raise InvalidSignInOption if it has no valid token or email."""
    options = SignInOptions(
        one_time_token=request.GET.get("token", ""),
        login_hint=request.GET.get("email", ""),
        # Another user than the invited one may be signed in at Logto in this browser.
        prompt="login",
    )
    if not options.one_time_token:
        raise InvalidSignInOption("The link of an invitation needs the parameter token: the one-time token.")
    if not EMAIL.fullmatch(options.login_hint):
        raise InvalidSignInOption("The parameter email of the link of an invitation is not an e-mail address.")
    return options


# Finishing a sign-in


class CallbackView(PublicView):
    """The redirect URI. Check the response of Logto, sign the user in, and redirect to the page they wanted."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to `next`, or the error page."""
        pending = load_pending(request, request.GET.get("state", ""))
        next_url = pending.next_url if pending else resolve_url(settings.LOGIN_REDIRECT_URL)
        try:
            response: HttpResponse = self.finish(request, pending)
        except LogtoError as error:
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
        userinfo = _additional_userinfo(token_set)
        _check_membership(token_set, pending.organization_id)
        chosen_organization = pending.organization_id
        if pending.confirmed_user:
            # Again, because the session may have ended during the calls.
            _check_session(request, pending)
            chosen_organization = _check_confirmation(request, token_set)
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
        identity, created = logto_backend().identify(claims)
        # The user may be signed in already. The tokens of the former session are replaced.
        store.end(request.session)
        if SESSION_KEY in request.session:
            # Django's login() keeps the session key if the same user signs in again.
            request.session.cycle_key()
        with _one_commit():
            login(request, identity.user, backend=backend_path())
            stored = store.start_session(request, identity, token_set, userinfo)
        session_principal(request).remember(stored)
        signed_in.send_robust(
            sender=type(identity.user), request=request, user=identity.user, claims=claims, created=created
        )


def _one_commit() -> AbstractContextManager[object]:
    """Return a transaction for the rows of a sign-in, because each commit waits for the disk.

    There is none if it could break: a receiver of the site may ignore an error of the database, after which a
    transaction cannot go on; and on SQLite a transaction that begins with a read fails if another one writes.
    """
    receivers = {name for (name, _sender), *_ in user_logged_in.receivers}
    if receivers - OWN_RECEIVERS or connections[database()].vendor == "sqlite":
        return nullcontext()
    return transaction.atomic(using=database(), savepoint=False)


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
    client = oidc_client()
    return client.exchange_code(
        client.authorization_code(response),
        redirect_uri=pending.redirect_uri,
        code_verifier=pending.code_verifier,
        nonce=pending.nonce,
        max_age_seconds=pending.max_age,
    )


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


def _additional_userinfo(token_set: TokenSet) -> Claims:
    """Return the claims of `LOGTO_USERINFO_CLAIMS` that the ID token lacks, from userinfo. No call if it has all."""
    missing = [name for name in conf.userinfo_claims if name not in token_set.id_token_claims]
    if not missing:
        return {}
    userinfo = oidc_client().userinfo(token_set.access_token, sub=token_set.id_token_claims["sub"])
    return {name: userinfo[name] for name in missing if name in userinfo}


# Signing out


class SignOutView(PublicView):
    """End the session here, revoke the refresh token, and redirect to the sign-out at Logto. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign out, and return the redirect to Logto, or the page `signed_out.html` if Logto cannot be reached."""
        stored, user = session_principal(request).stored_session, request.user
        is_of_logto = stored is not None or store.is_of_logto_backend(request.session)
        home = resolve_url(settings.LOGOUT_REDIRECT_URL or get_script_prefix())
        sign_out_here(request)
        if user.is_authenticated:
            # `request.user` is a lazy object, whose own type is not the user model.
            signed_out.send_robust(sender=user.__class__, request=request, user=user)
        if user.is_authenticated and not is_of_logto:
            # The user signed in with a password, so there is no session at Logto.
            return HttpResponseRedirect(home)
        try:
            url = sign_out_url(absolute_uri(request, home), stored.tokens if stored else None)
        except ProviderError as error:
            # The session on this site has ended. The page says that the session at Logto may remain.
            logger.error("Signed out of this site only: %s", error)
            return render_page(request, "signed_out.html", {"home": home})
        return _redirect_to_sign_out(request, url)


def _redirect_to_sign_out(request: HttpRequest, url: Secret) -> HttpResponse:
    """Return the redirect to `url` at Logto. A script cannot follow it, and gets the URL."""
    if not is_from_script(request):
        return _SignOutRedirect(url.reveal())
    response = JsonResponse({"sign_out_url": url.reveal()})
    if is_from_htmx(request):
        response["HX-Redirect"] = url.reveal()
    return response


class _SignOutRedirect(HttpResponseRedirect):
    def __repr__(self) -> str:
        """Return a text without the URL, which contains the ID token."""
        return f"<{type(self).__name__} status_code={self.status_code}>"


class SignOutOthersView(PublicView):
    """End the other sessions of the user on this site. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the other sessions, and return the redirect to `next`."""
        session_principal(request).end_other_sessions()
        return HttpResponseRedirect(safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME)))


# Organizations


class ChooseOrganizationView(PublicView):
    """Make an organization the current one, for pages whose URL selects none. POST only."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Store the choice and return the redirect to `next`; 403 if the user does not belong to the organization."""
        next_url = safe_next_url(request, request.POST.get(REDIRECT_FIELD_NAME))
        if not request.user.is_authenticated:
            return redirect_to_login(next_url)
        try:
            session_principal(request).choose_organization(request.POST.get("organization_id", ""))
        except OrganizationRequired:
            return forbidden_response(request, MissingRequirement(RequirementKind.ORGANIZATION))
        return HttpResponseRedirect(next_url)

"""The page that asks for a second factor, and says why it is missing."""

from __future__ import annotations

import logging
import secrets
from urllib.parse import urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import get_script_prefix
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from logto_auth.access.requirements import SecondFactor
from logto_auth.access.responses import (
    is_impersonated,
    not_during_impersonation_response,
    sign_in_page,
    unauthorized_response,
)
from logto_auth.access.second_factor import second_factor_from_query, second_factor_url
from logto_auth.account.missing_factor import MissingFactor, reason_for, set_up_url
from logto_auth.conf import conf
from logto_auth.exceptions import InvalidSignInOption, LogtoError
from logto_auth.navigation import is_fetch, is_from_page_library
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.error_page import error_response
from logto_auth.sign_in.next_url import is_allowed_next, safe_next_url, with_query
from logto_auth.sign_in.page import render_page
from logto_auth.sign_in.start import redirect_to_logto

from .public import PublicView

__all__ = ["SecondFactorView"]

logger = logging.getLogger("logto_auth")

Text = str | Promise

STEP = "step"
# The user comes back from Logto, which has just asked them to sign in.
ASKED = "asked"
# The user has pressed the button of the page.
AGAIN = "again"
# The step-up of a session: Logto asks for the credentials, and stores how the user has signed in only at a consent.
OPTIONS = SignInOptions(prompt="login consent")

# What the page says. They are for users; the operator finds the cause in the log.
TEXTS: dict[MissingFactor, Text] = {
    MissingFactor.WITHOUT_LOGTO: _(
        "You are signed in here without Logto, so this site cannot check a second factor. Sign in through Logto."
    ),
    MissingFactor.NOT_REPORTED: _(
        "This site cannot see whether you used a second factor. Only the site operator can change that. Please contact "
        "the site operator."
    ),
    MissingFactor.NOT_KNOWN: _("This site does not know how you signed in. Please sign in again."),
    MissingFactor.SINGLE_SIGN_ON: _(
        "You signed in with your organization's account, and then Logto does not ask for a second factor. Sign in "
        "again in another way, or contact the site operator."
    ),
    MissingFactor.NOT_OFFERED: _(
        "Your sign-in service does not offer a second factor that this page accepts. Only the site operator can change "
        "that. Please contact the site operator."
    ),
    MissingFactor.ADAPTIVE: _(
        "Your sign-in service asks for a second factor only if a sign-in looks unusual, and yours did not. Only the "
        "site operator can change that. Please contact the site operator."
    ),
    MissingFactor.NOT_SET_UP: _(
        "Your account does not have a second factor that this page accepts. Set one up first. Then sign in again."
    ),
    MissingFactor.TURNED_OFF: _(
        "You have turned off the second factor for your sign-in, so you are not asked for it. Turn it on first. Then "
        "sign in again."
    ),
    MissingFactor.OTHER_METHOD: _(
        "You used another second factor than this page accepts. Sign in again, and choose another way when you are "
        "asked for the second factor."
    ),
    MissingFactor.TOO_OLD: _("You used your second factor too long ago for this page. Please sign in again."),
    MissingFactor.NOT_ASKED: _(
        "You were not asked for a second factor when you signed in. If your account has none yet, set one up first. "
        "Then sign in again. If you see this page again, please contact the site operator."
    ),
}
# What the log says, and the page to staff.
REMEDIES: dict[MissingFactor, Text] = {
    MissingFactor.NOT_REPORTED: _(
        "Logto's access tokens for LOGTO_API_RESOURCE do not have the claim authentication_methods. The script of the "
        "custom claims is missing, or it fails. Run manage.py logto_setup, and then manage.py logto_doctor."
    ),
    MissingFactor.NOT_OFFERED: _(
        "Turn on a second factor in the Logto Console, under Multi-factor auth, or declare it in LOGTO_TENANT and run "
        "manage.py logto_setup."
    ),
    MissingFactor.ADAPTIVE: _("Turn off adaptive MFA in the Logto Console, under Multi-factor auth."),
    MissingFactor.NOT_ASKED: _(
        "Add identities to LOGTO_SCOPES if it is missing: then this page knows the factors of the user. Run manage.py "
        "logto_doctor, which checks how Logto asks for second factors."
    ),
}
# The levels of the log; INFO if the user can prove a second factor another time.
LEVELS = {
    MissingFactor.NOT_REPORTED: logging.ERROR,
    MissingFactor.NOT_OFFERED: logging.WARNING,
    MissingFactor.ADAPTIVE: logging.WARNING,
}
# What users call the methods.
METHOD_TEXTS: dict[str, Text] = {
    "Totp": _("a code of an authenticator app"),
    "WebAuthn": _("a passkey"),
    "SignInPasskey": _("a passkey"),
    "BackupCode": _("a backup code"),
    "MfaEmailVerificationCode": _("a code by e-mail"),
    "MfaPhoneVerificationCode": _("a code by text message"),
}


class SecondFactorView(PublicView):
    """Let a user prove a second factor by a new sign-in at Logto, and redirect to `next`.

    The URL is that of `second_factor_url`. A user who comes back from Logto without the second factor, and a user who
    cannot have one, gets the page that says why: this view never redirects to Logto twice without a click.
    """

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to `next`, the redirect to Logto, or the page; 404 without `LOGTO_SECOND_FACTOR`."""
        if not conf.second_factor:
            raise Http404
        next_url = _next_url(request)
        try:
            second_factor = second_factor_from_query(request.GET)
        except InvalidSignInOption as error:
            return error_response(request, error, next_url=next_url)
        url = _url(request, next_url, second_factor)
        if is_impersonated(request):
            return not_during_impersonation_response(request)
        principal = session_principal(request)
        if request.user.is_authenticated and second_factor.is_met_by(principal):
            return HttpResponseRedirect(next_url)
        if is_fetch(request):
            return unauthorized_response(request, url, error="second_factor_required")
        step = request.GET.get(STEP)
        if not request.user.is_authenticated:
            # A visitor who comes back from Logto without a session: the browser may not keep its cookie.
            return redirect_to_login(url) if step == ASKED else self.ask(request, url)
        if step == AGAIN:
            return self.ask(request, url)
        reason = reason_for(principal, second_factor)
        if step != ASKED and reason.may_end_by_sign_in:
            return self.ask(request, url)
        return self.explain(request, reason, second_factor, url)

    def ask(self, request: HttpRequest, url: str) -> HttpResponse:
        """Return the redirect to Logto, which asks for the credentials, and then leads to `url` as the last step."""
        if is_from_page_library(request):
            return sign_in_page(request, with_query(url, {STEP: AGAIN}))
        try:
            return redirect_to_logto(request, next_url=with_query(url, {STEP: ASKED}), options=OPTIONS)
        except LogtoError as error:
            return error_response(request, error, next_url=url)

    def explain(
        self, request: HttpRequest, reason: MissingFactor, second_factor: SecondFactor, url: str
    ) -> HttpResponse:
        """Return the page that says why the second factor is missing, and what the user can do."""
        reference = secrets.token_hex(4)
        remedy = REMEDIES.get(reason, "")
        _log(request, reason, remedy, reference)
        is_limited = set(second_factor.methods) != set(SECOND_FACTORS)
        change_url = set_up_url(request, reason, second_factor, url)
        context = {
            "code": reason.value,
            "reference": reference,
            "text": TEXTS[reason],
            "accepted": list(dict.fromkeys(METHOD_TEXTS[each] for each in second_factor.methods)) if is_limited else [],
            "remedy": remedy if getattr(request.user, "is_staff", False) else "",
            "cannot_change": reason.is_for_user and not change_url,
            "links": _links(reason, change_url, with_query(url, {STEP: AGAIN})),
            "user": request.user,
        }
        return render_page(request, "second_factor_required.html", context, status=403)


def _next_url(request: HttpRequest) -> str:
    """Return `next`, else `LOGIN_REDIRECT_URL`; the home page if that setting leads to this page, in a loop."""
    asked = request.GET.get(REDIRECT_FIELD_NAME)
    next_url = safe_next_url(request, asked)
    return next_url if next_url == asked or urlsplit(next_url).path != request.path else get_script_prefix()


def _url(request: HttpRequest, next_url: str, second_factor: SecondFactor) -> str:
    """Return the URL of this page without a step; without `next` if a sign-in could not return to it."""
    url = second_factor_url(next_url, second_factor)
    # It is longer than `next_url`, which has the greatest length that is allowed.
    return url if is_allowed_next(request, with_query(url, {STEP: ASKED})) else second_factor_url("", second_factor)


def _links(reason: MissingFactor, change_url: str, again_url: str) -> list[dict[str, Text]]:
    """Return the links of the page, the most useful one first."""
    again: dict[str, Text] = {"url": again_url, "label": _("Sign in again")}
    home: dict[str, Text] = {"url": get_script_prefix(), "label": _("Home page")}
    if change_url:
        is_turned_off = reason is MissingFactor.TURNED_OFF
        label = _("Turn on the second factor") if is_turned_off else _("Set up a second factor")
        return [{"url": change_url, "label": label}, again, home]
    return [home, again] if reason.is_for_operator or reason.is_for_user else [again, home]


def _log(request: HttpRequest, reason: MissingFactor, remedy: Text, reference: str) -> None:
    """Log one line: an error if no user of the site can prove a second factor."""
    # The log has one language, whatever that of the page is.
    with override("en"):
        logger.log(
            LEVELS.get(reason, logging.INFO),
            "The second factor of the user %s is missing: %s (reference %s)%s",
            request.user.pk,
            reason.value,
            reference,
            f". {remedy}" if remedy else "",
            extra={"code": reason.value},
        )

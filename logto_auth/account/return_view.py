"""The way back from a task of Logto's Account Center."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from logto_auth.access.responses import is_impersonated, not_during_impersonation_response, prefetch_response
from logto_auth.exceptions import LogtoError, ProviderError, SignInRequired, StepExpired
from logto_auth.navigation import is_prefetch
from logto_auth.pages.notices import Notice, notices_response
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import SessionPrincipal, session_principal
from logto_auth.sign_in.next_url import safe_next_url
from logto_auth.sign_in.page import add_headers
from logto_auth.signals import account_changed

from .links import CLAIMS_OF_TASKS, END_OTHER_SESSIONS, RETURN, digest
from .other_sessions import end_other_sessions, ended_text, verification_to_end_sessions
from .steps import open_step

__all__ = ["AccountReturnView"]

logger = logging.getLogger("logto_auth")

Text = str | Promise

# By claim: the text for a new value, and for a value that is gone.
CLAIM_TEXTS: dict[str, tuple[Text, Text]] = {
    "name": (_("Your name has been changed."), _("Your name has been removed.")),
    "username": (_("Your username has been changed."), _("Your username has been removed.")),
    "picture": (_("Your picture has been changed."), _("Your picture has been removed.")),
    "email": (_("Your e-mail address has been changed."), _("Your e-mail address has been removed.")),
    "phone_number": (_("Your phone number has been changed."), _("Your phone number has been removed.")),
}
# Claims of the profile, for which one text is enough. `preferred_username` is not among them: it repeats `username`.
PROFILE_CLAIMS = (
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "profile",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "address",
)
PROFILE_CHANGED = _("Your profile has been changed.")
# What a task has changed, if no claim shows it.
TASK_TEXTS: dict[str, Text] = {
    "email": CLAIM_TEXTS["email"][0],
    "phone": CLAIM_TEXTS["phone_number"][0],
    "username": CLAIM_TEXTS["username"][0],
    "password": _("Your password has been changed."),
    "authenticator-app": _("Your authenticator app has been set up."),
    "authenticator-app/replace": _("Your authenticator app has been replaced. The former one no longer works."),
    "backup-codes/generate": _("You have new backup codes."),
    "backup-codes/regenerate": _("You have new backup codes."),
    "passkey/add": _("Your passkey has been added."),
    "passkey/manage": _("Your passkeys have been changed."),
    "social": _("The account has been linked."),
    "social/change": _("The linked account has been replaced."),
    "social/remove": _("The linked account has been removed."),
}
# The scope without which the claim of a task is not in the ID token.
SCOPES = {"email": "email", "phone_number": "phone", "username": "profile"}


@method_decorator(login_not_required, name="dispatch")
class AccountReturnView(View):
    """Refresh the claims, say what has changed, and redirect to `next`.

    The value in the URL, which `account_url` has sealed, names the task. If it is missing, forged, too old or from
    another session, this view only redirects. Logto adds nothing to the URL: that the browser comes back means that the
    task is done.
    """

    http_method_names = ["get", "head"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse a prefetch, which must change nothing, and add the headers to the response."""
        response = prefetch_response() if is_prefetch(request) else super().dispatch(request, *args, **kwargs)
        add_headers(response)
        return response

    def head(self, request: HttpRequest) -> HttpResponse:
        """Return an empty response: only a GET changes something."""
        return HttpResponse()

    def get(self, request: HttpRequest) -> HttpResponse:
        """Return the redirect to `next`."""
        if is_impersonated(request):
            return not_during_impersonation_response(request)
        next_url = safe_next_url(request, request.GET.get(REDIRECT_FIELD_NAME))
        try:
            step = open_step(request, RETURN, request.GET.get("state", ""))
        except (StepExpired, SignInRequired):
            return HttpResponseRedirect(next_url)
        task: str = step["task"]
        if task == END_OTHER_SESSIONS:
            notices = [Notice(ended_text(end_other_sessions(request)), messages.INFO)]
            return notices_response(request, notices, next_url)
        try:
            notices = self.finish(request, task, step["before"])
        except LogtoError as error:
            # The session has ended at Logto, or the site refuses the user.
            return end_session(request, error) or HttpResponseRedirect(next_url)
        if task == "password":
            ended = end_other_sessions(request)
            if ended.here or ended.at_logto != 0:
                notices.append(Notice(ended_text(ended), messages.INFO))
            next_url = verification_to_end_sessions(request, ended, next_url) or next_url
        return notices_response(request, notices, next_url)

    def finish(self, request: HttpRequest, task: str, before: str) -> list[Notice]:
        """Refresh the claims, send `account_changed`, and return what has changed.

        Raise SignInRequired if the session has ended at Logto, SignInRefused or TokenError if the user is refused.
        """
        principal = session_principal(request)
        former = principal.claims
        is_fresh = _refresh(principal)
        claim = CLAIMS_OF_TASKS.get(task, "")
        changed = set(_changed(former, principal.claims))
        if claim and digest(principal.claims.get(claim)) != before:
            # Another request has refreshed the claims in the meantime.
            changed.add(claim)
        is_done = not claim or SCOPES[claim] not in principal.scopes
        if changed or is_done:
            user = request.user
            # `request.user` is a lazy object, whose own type is not the user model.
            account_changed.send_robust(
                sender=user.__class__, request=request, user=user, task=task, changed=frozenset(changed)
            )
        notices = [Notice(text) for text in _texts(changed, principal.claims)]
        if is_done and task in TASK_TEXTS:
            notices.append(Notice(str(TASK_TEXTS[task])))
        if claim and not is_done and not is_fresh and claim not in changed:
            text = gettext("Logto does not respond at the moment. This site will show your change later.")
            notices.append(Notice(text, messages.WARNING))
        return notices


def _refresh(principal: SessionPrincipal) -> bool:
    """Fetch new claims, and return whether there are any. Raise LogtoError if the session has ended."""
    try:
        principal.refresh()
    except ProviderError as error:
        logger.warning("The claims are not fetched after a visit of the Account Center: %s", error)
        return False
    except SignInRequired as error:
        if not principal.is_authenticated:
            raise
        # There is no refresh token, so only the next sign-in brings new claims.
        logger.info("The claims are not fetched after a visit of the Account Center: %s", error)
        return False
    return True


def _changed(former: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the claims that are different. A missing claim is the same as an empty one."""
    for name in (*CLAIM_TEXTS, *PROFILE_CLAIMS):
        if (former.get(name) or None) != (present.get(name) or None):
            yield name


def _texts(changed: set[str], claims: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each change."""
    for name, (new, gone) in CLAIM_TEXTS.items():
        if name in changed:
            yield str(new if claims.get(name) else gone)
    if not changed.isdisjoint(PROFILE_CLAIMS):
        yield str(PROFILE_CHANGED)

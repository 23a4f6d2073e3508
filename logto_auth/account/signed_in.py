"""The page of the places where the user is signed in: on this site, and at Logto."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.account_api.types import Session
from logto_auth.exceptions import InvalidValue, LogtoError
from logto_auth.models import LogtoSession
from logto_auth.sessions.principal import session_principal

from .devices import device_name
from .other_sessions import end_other_sessions, ended_text, sid_at_logto, value_in
from .page import AccountPage
from .times import local_time

__all__ = ["SessionsPage", "SignedInPlace"]

# The key of a place whose session at Logto is not known begins so. Logto's ids contain no colon.
HERE = "here:"


@dataclass(frozen=True, kw_only=True)
class SignedInPlace:
    """A browser in which the user is signed in: a session at Logto, its sessions on this site, or both."""

    key: str
    """What the form sends to end it."""
    user_agent: str
    ip_address: str
    since: datetime | None
    is_current: bool
    is_at_logto: bool
    rows: tuple[LogtoSession, ...]
    """The sessions on this site."""

    @property
    def name(self) -> str:
        """A readable name of the browser."""
        return device_name(self.user_agent)

    @property
    def is_here(self) -> bool:
        """Whether the user is signed in on this site there."""
        return bool(self.rows)

    @property
    def is_impersonation(self) -> bool:
        """Whether a staff member acts as the user there."""
        return any(row.is_impersonation for row in self.rows)


def signed_in_places(
    rows: Iterable[LogtoSession], at_logto: Iterable[Session], *, current_id: Any
) -> list[SignedInPlace]:
    """Return one place for each browser, the current one first, then the latest.

    A session at Logto and the rows of this site belong together if the `sid` is the same: that of the ID token, which
    Logto keeps for each application. Logto puts it into ID tokens if the application has a back-channel logout; without
    it, only the current browser is recognized. `current_id` is the id of the row of this request.
    """
    rows_by_sid: dict[str, list[LogtoSession]] = {}
    for row in rows:
        rows_by_sid.setdefault(row.sid or f"{HERE}{row.pk}", []).append(row)
    places = []
    for session in at_logto:
        sid, uid = sid_at_logto(session), value_in(session, "payload", "uid")
        if sid not in rows_by_sid and value_in(session, "isCurrent") is True:
            sid = f"{HERE}{current_id}"
        if isinstance(uid, str) and uid:
            places.append(_place(tuple(rows_by_sid.pop(sid, ())), session, key=uid, current_id=current_id))
    for group in rows_by_sid.values():
        places.append(_place(tuple(group), None, key=f"{HERE}{group[0].pk}", current_id=current_id))
    oldest = datetime.min.replace(tzinfo=timezone.utc)
    return sorted(places, key=lambda place: (place.is_current, place.since or oldest), reverse=True)


def _place(rows: tuple[LogtoSession, ...], session: Session | None, *, key: str, current_id: Any) -> SignedInPlace:
    # The latest row: the rows are sorted.
    row = rows[0] if rows else None
    context = partial(_text_in, session, "lastSubmission", "signInContext")
    signed_in_at = value_in(session, "payload", "loginTs") or value_in(session, "payload", "iat")
    return SignedInPlace(
        key=key,
        user_agent=(row.user_agent if row else "") or context("userAgent"),
        ip_address=(row.ip_address if row else "") or context("ip"),
        since=local_time(row.started_at if row else signed_in_at),
        # `isCurrent` is a claim of Logto about the token that was used, which this session may have refreshed.
        is_current=any(each.pk == current_id for each in rows) or value_in(session, "isCurrent") is True,
        is_at_logto=session is not None,
        rows=rows,
    )


def _text_in(value: Any, *keys: str) -> str:
    found = value_in(value, *keys)
    return found if isinstance(found, str) else ""


class SessionsPage(AccountPage):
    """Show where the user is signed in, and end these sessions.

    The sessions on this site are always shown. Those at Logto need the scope `urn:logto:scope:sessions`, the field
    `session` of the account center, and a user who has just proved who they are.
    """

    template_name = "sessions.html"
    section = "sessions"
    scopes = ()
    needs_center = False
    actions = {"end": "end", "end-others": "end_others"}
    done_texts = {
        "ended": _("The session has ended."),
        "ended-here": _("The session on this site has ended. That browser may still be signed in at Logto."),
        "gone": _("This session has already ended."),
        "others-ended": _("Your other sessions have ended."),
    }

    def check(self) -> HttpResponseBase | None:
        """Return None: the sessions on this site need nothing of Logto."""
        return None

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page. With `?at=logto`, first get what the sessions at Logto need."""
        if request.GET.get("at") == "logto" and self.may_see_sessions_at_logto():
            if not self.account.has_scopes(SESSIONS_SCOPE):
                return self.scopes_response([SESSIONS_SCOPE])
            if not self.account.is_verified:
                return self.verification_response()
            return HttpResponseRedirect(self.url)
        # The sessions on this site are shown, whatever happens to the others.
        at_logto, has_failed, url = None, False, ""
        try:
            if self.may_see_sessions_at_logto():
                at_logto = self.sessions_at_logto()
                url = f"{self.url}?at=logto" if at_logto is None else ""
        except LogtoError as error:
            self.log(error)
            has_failed = True
        places = self.places(at_logto or ())
        return self.render(
            {
                "places": places,
                "has_others": any(not place.is_current for place in places),
                "shows_logto": at_logto is not None,
                "may_end_at_logto": at_logto is not None and self.may_edit("session"),
                "logto_url": url,
                "logto_failed": has_failed,
            }
        )

    def may_see_sessions_at_logto(self) -> bool:
        """Return whether the account center shows sessions. Raise ProviderError."""
        return self.center["enabled"] and self.permission("session") != "Off"

    def sessions_at_logto(self) -> list[Session] | None:
        """Return the sessions at Logto, by one call; None if the user has to do something first. Raise LogtoError."""
        if self.account.is_verified and self.account.has_scopes(SESSIONS_SCOPE):
            return self.account.sessions()
        return None

    def places(self, at_logto: Iterable[Session]) -> list[SignedInPlace]:
        """Return the places where the user is signed in."""
        current = session_principal(self.request).stored_session
        if current is None:
            return []
        rows = LogtoSession.objects.of_user(current.user_id).defer("encrypted_tokens").order_by("-started_at")
        return signed_in_places(rows, at_logto, current_id=current.id)

    def end(self) -> HttpResponseBase:
        """End one session: on this site, and at Logto if it is known there. Raise LogtoError before anything ended."""
        key = self.request.POST.get("session", "")
        # Only a session that the user has is ended: it is looked up among theirs, here and at Logto.
        at_logto = None if key.startswith(HERE) else self.sessions_at_logto()
        place = next((each for each in self.places(at_logto or ()) if each.key == key), None)
        if place is None or place.is_current:
            return self.done("gone")
        # The rows first, so that the browser is signed out here if Logto fails.
        LogtoSession.objects.filter(pk__in=[row.pk for row in place.rows]).end(reason="ended_by_user")
        return self.done("ended" if place.is_at_logto and self.end_at_logto(place.key) else "ended-here")

    def end_at_logto(self, uid: str) -> bool:
        """End a session at Logto, with its tokens, and return whether it has ended."""
        try:
            self.account.end_session(uid, revoke_grants="all")
        except InvalidValue as error:
            # It has ended in the meantime.
            return error.field == "session"
        except LogtoError as error:
            self.log(error)
            return False
        return True

    def end_others(self) -> HttpResponseBase:
        """End all other sessions of the user, here and at Logto if possible."""
        return self.done("others-ended", text=ended_text(end_other_sessions(self.request)))

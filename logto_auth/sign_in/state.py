"""The state of pending sign-ins: one encrypted cookie for each, in the browser that started it.

Each pending sign-in has its own cookie, so that several tabs can sign in at the same time. Django saves a session as a
whole, so two tabs that start together would lose one of the two states (decision 0002). After the callback the cookie
is kept for a while, without its secrets, so that a stale tab can still be redirected to its page.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, dataclass, field, replace

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from logto_auth.conf import conf
from logto_auth.encryption import decrypt, encrypt
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.oidc.secrets import Secret

__all__ = ["PendingSignIn", "load_pending", "save_pending"]

COOKIE_PREFIX = "logto_sign_in_"
ENCRYPTION_PURPOSE = "sign-in"
# How long the cookie of an expired sign-in is kept, so that the callback can recognize it and redirect.
EXPIRED_RETENTION_SECONDS = 24 * 3600
# In bytes, of all cookies of pending sign-ins. Servers and proxies commonly refuse a request with more than 8 KB of
# cookies, and the site has cookies of its own.
MAX_COOKIES_LENGTH = 5000


@dataclass(frozen=True, kw_only=True)
class PendingSignIn:
    """A sign-in between its start and its callback: what the callback must match, and where the browser goes then."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: Secret
    redirect_uri: str
    next_url: str
    started_at: float
    """In seconds since the epoch."""
    max_age: int | None = None
    """The maximum age of the authentication at Logto, in seconds."""
    organization_id: str = ""
    """The organization whose membership is required; empty if none is."""
    is_silent: bool = False
    """Whether this site, and not the user, started it, to confirm a session."""
    is_used: bool = False
    """Whether a callback has used it."""

    @classmethod
    def create(
        cls,
        request: AuthorizationRequest,
        *,
        redirect_uri: str,
        next_url: str,
        options: SignInOptions,
        is_silent: bool,
    ) -> PendingSignIn:
        """Return the pending sign-in of `request`, started now."""
        return cls(
            state=request.state,
            nonce=request.nonce,
            code_verifier=request.code_verifier,
            redirect_uri=redirect_uri,
            next_url=next_url,
            started_at=time.time(),
            max_age=options.max_age,
            organization_id=options.organization_id if options.members_only else "",
            is_silent=is_silent,
        )

    @property
    def is_expired(self) -> bool:
        """Whether it was started longer than `LOGTO_SIGN_IN_MAX_AGE_SECONDS` ago, or in the future."""
        return not 0 <= time.time() - self.started_at <= conf.sign_in_max_age_seconds

    def as_used(self) -> PendingSignIn:
        """Return a copy without its secrets, which no callback can use."""
        return replace(self, nonce="", code_verifier=Secret(""), is_used=True)


def load_pending(request: HttpRequest, state: str) -> PendingSignIn | None:
    """Return the pending sign-in with `state` of this browser, also a used or expired one; None if there is none."""
    value = decrypt(request.COOKIES.get(_cookie_name(state), ""), purpose=ENCRYPTION_PURPOSE)
    if value is None or value.get("state") != state:
        return None
    try:
        return PendingSignIn(**{**value, "code_verifier": Secret(value.get("code_verifier", ""))})
    except TypeError:
        return None  # the cookie was set by another version of this package


def save_pending(request: HttpRequest, response: HttpResponseBase, pending: PendingSignIn) -> None:
    """Set the cookie of `pending` on `response`, and delete the cookies of the oldest ones if there are too many."""
    content = asdict(pending) | {"code_verifier": pending.code_verifier.reveal()}
    name, value = _cookie_name(pending.state), encrypt(content, purpose=ENCRYPTION_PURPOSE)
    for surplus_name in _surplus_cookies(request, name, len(value)):
        response.delete_cookie(surplus_name, path=settings.SESSION_COOKIE_PATH, domain=settings.SESSION_COOKIE_DOMAIN)
    response.set_cookie(
        name,
        value,
        max_age=conf.sign_in_max_age_seconds + EXPIRED_RETENTION_SECONDS,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # The callback is a cross-site navigation, to which browsers do not send Strict cookies.
        samesite="Lax",
    )


def _surplus_cookies(request: HttpRequest, name: str, length: int) -> list[str]:
    """Return the names of the oldest cookies that exceed the limits beside a new one with `name` and `length`."""
    # Browsers send the oldest of equally specific cookies first (RFC 6265, section 5.4).
    newest_first = [cookie for cookie in reversed(request.COOKIES) if cookie.startswith(COOKIE_PREFIX)]
    surplus, count = [], 1
    for cookie in newest_first:
        if cookie == name:
            continue
        count, length = count + 1, length + len(request.COOKIES[cookie])
        if count > conf.max_pending_sign_ins or length > MAX_COOKIES_LENGTH:
            surplus.append(cookie)
    return surplus


def _cookie_name(state: str) -> str:
    return COOKIE_PREFIX + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:16]

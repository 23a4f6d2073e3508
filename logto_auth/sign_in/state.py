"""Sign-ins under way: one encrypted cookie each, in the browser that started them.

A cookie of its own for every sign-in is what lets several tabs be under way at once: Django's session is saved whole,
so two tabs starting together would lose one of the two (decision 0002). A used one stays for a while, without its
secrets, so that the callback knows where a stale tab wanted to go.
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

COOKIE_PREFIX = "logto_sign_in_"
# An expired sign-in is still recognised for this long, to say so and to go on to where it was meant to lead.
KEPT_SECONDS = 24 * 3600
# Servers and proxies commonly refuse a request whose cookies take more than 8 KB, and the site has cookies of its own.
MAX_TOTAL_LENGTH = 5000


@dataclass(frozen=True, kw_only=True)
class PendingSignIn:
    """A started sign-in: what must come back, what is to be sent with the code, and where to go then."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    redirect_uri: str
    next_url: str
    started_at: float
    max_age: int | None = None
    """How recent the sign-in at Logto has to be, in seconds."""
    organization_id: str = ""
    """The organization whose members alone are let in."""
    is_silent: bool = False
    """Whether the visitor did not ask for it: Logto was to confirm a session."""
    is_used: bool = False

    @classmethod
    def start(
        cls,
        request: AuthorizationRequest,
        *,
        redirect_uri: str,
        next_url: str,
        options: SignInOptions,
        is_silent: bool,
    ) -> PendingSignIn:
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
        return not 0 <= time.time() - self.started_at <= conf.sign_in_max_age_seconds

    def used(self) -> PendingSignIn:
        """The same with its secrets gone: it says where to go, and opens nothing."""
        return replace(self, nonce="", code_verifier="", is_used=True)


def find(request: HttpRequest, state: str) -> PendingSignIn | None:
    """The sign-in of this browser that waits for `state`, used and expired ones included; None when there is none."""
    value = decrypt(request.COOKIES.get(_cookie_name(state), ""), purpose="sign-in")
    if value is None or value.get("state") != state:
        return None
    try:
        return PendingSignIn(**value)
    except TypeError:
        return None  # from another version of this package


def keep(request: HttpRequest, response: HttpResponseBase, pending: PendingSignIn) -> None:
    """Keep `pending` in the browser that gets `response`, and drop the oldest when there are too many."""
    name, value = _cookie_name(pending.state), encrypt(asdict(pending), purpose="sign-in")
    for surplus in _surplus(request, name, len(value)):
        response.delete_cookie(surplus, path=settings.SESSION_COOKIE_PATH, domain=settings.SESSION_COOKIE_DOMAIN)
    response.set_cookie(
        name,
        value,
        max_age=conf.sign_in_max_age_seconds + KEPT_SECONDS,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE,
        httponly=True,
        # The callback is a cross-site navigation: Strict cookies do not come along.
        samesite="Lax",
    )


def _surplus(request: HttpRequest, name: str, length: int) -> list[str]:
    """The names of the oldest sign-ins, for which there is no room beside a new one of that length."""
    # Browsers send the oldest of equally specific cookies first (RFC 6265, section 5.4).
    newest_first = [cookie for cookie in reversed(request.COOKIES) if cookie.startswith(COOKIE_PREFIX)]
    surplus, count = [], 1
    for cookie in newest_first:
        if cookie == name:
            continue
        count, length = count + 1, length + len(request.COOKIES[cookie])
        if count > conf.max_pending_sign_ins or length > MAX_TOTAL_LENGTH:
            surplus.append(cookie)
    return surplus


def _cookie_name(state: str) -> str:
    return COOKIE_PREFIX + hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()[:16]

"""The state of pending sign-ins: one encrypted cookie for each, in the browser that started it.

Each pending sign-in has its own cookie, so that several tabs can sign in at the same time. Django saves a session as a
whole, so two tabs that start together would lose one of the two states (decision 0002). After the callback the cookie
is kept for a while, without its secrets, so that a stale tab can still be redirected to its page.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from logto_auth.conf import conf
from logto_auth.encryption import decrypt, encrypt
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions, effective_prompt
from logto_auth.oidc.secrets import Secret, hide_frames

__all__ = ["PendingSignIn", "load_pending", "save_pending"]

# With this prefix, browsers accept a cookie only from this host, over https (RFC 6265bis, section 4.1.3.2).
HOST_PREFIX = "__Host-"
COOKIE_PREFIX = "logto_sign_in_"
DIGEST_LENGTH = 16
ENCRYPTION_PURPOSE = "sign-in"
# How long the cookie of an expired sign-in is kept, so that the callback can recognize it and redirect.
EXPIRED_RETENTION_SECONDS = 24 * 3600
# In bytes, of all cookies of pending sign-ins. Servers and proxies commonly refuse a request with more than 8 KB of
# cookies, and the site has cookies of its own.
MAX_COOKIES_LENGTH = 5000
# In characters of JSON. Together with the longest `next` they fit into one cookie, which has at most 4096 bytes.
MAX_OPTIONS_LENGTH = 512
# In one response. Proxies refuse responses with too many headers.
MAX_DELETED_COOKIES = 20


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
    scopes: Sequence[str] = ()
    """The scopes that the sign-in requested in addition to those of the site."""
    resource_digest: str = ""
    """The digest of the API resource whose access token proves the methods; empty if they were not checked."""
    asks_for_login: bool = False
    """Whether Logto had to ask the user to authenticate, and to store how they did (decision 0041)."""
    expects_refresh_token: bool = False
    """Whether it has requested a refresh token with `consent`, without which Logto issues none."""
    is_silent: bool = False
    """Whether this site, and not the user, started it."""
    confirmed_user: str = ""
    """The primary key of the user whose session it confirms; empty if it confirms none."""
    repeat_options: dict[str, Any] | None = None
    """The sign-in options that were set, if the sign-in has `prompt=none` and may be repeated with another prompt."""
    is_used: bool = False
    """Whether a callback has used it."""
    is_host_only: bool = False
    """Whether its cookie has the prefix `__Host-`."""

    @classmethod
    def create(
        cls,
        request: AuthorizationRequest,
        *,
        redirect_uri: str,
        next_url: str,
        options: SignInOptions,
        is_silent: bool,
        confirmed_user: str,
        may_repeat: bool = False,
    ) -> PendingSignIn:
        """Return the pending sign-in of `request`, started now. With `may_repeat` it remembers its options."""
        is_host_only = settings.SESSION_COOKIE_PATH == "/" and not settings.SESSION_COOKIE_DOMAIN
        scopes = [*conf.scopes, *options.scopes]
        prompts = set(effective_prompt(options.prompt or conf.prompt, scopes).split())
        return cls(
            state=request.state,
            nonce=request.nonce,
            code_verifier=request.code_verifier,
            redirect_uri=redirect_uri,
            next_url=next_url,
            started_at=time.time(),
            max_age=options.max_age,
            organization_id=options.organization_id if options.members_only else "",
            scopes=_storable_scopes(options),
            resource_digest=_resource_digest(),
            # With `login` alone, Logto asks, but keeps the verification records of the sign-in before.
            asks_for_login={"login", "consent"} <= prompts,
            expects_refresh_token="consent" in prompts and "offline_access" in scopes,
            is_silent=is_silent,
            is_host_only=is_host_only and redirect_uri.startswith("https:"),
            confirmed_user=confirmed_user,
            repeat_options=_repeat_options(options) if may_repeat else None,
        )

    @property
    def is_expired(self) -> bool:
        """Whether it was started longer than `LOGTO_SIGN_IN_MAX_AGE_SECONDS` ago, or in the future."""
        # The clock of the server that started it may be ahead.
        return not -conf.clock_skew_seconds <= time.time() - self.started_at <= conf.sign_in_max_age_seconds

    @property
    def second_factor_resource(self) -> str | None:
        """The API resource for whose access token the callback asks; None if the sign-in has not requested it.

        The settings may have changed since the start, with a new release of the site. Logto refuses a code together
        with a resource that the authorization request does not name.
        """
        return conf.second_factor_resource if self.resource_digest == _resource_digest() else None

    def as_used(self) -> PendingSignIn:
        """Return a copy without its secrets, which no callback can use."""
        return replace(self, nonce="", code_verifier=Secret(""), repeat_options=None, is_used=True)


def _repeat_options(options: SignInOptions) -> dict[str, Any] | None:
    """Return the options that differ from their defaults; None if they are too long for a cookie."""
    values = {**vars(options), "extra": dict(options.extra)}
    changed = {name: value for name, value in values.items() if value != getattr(SignInOptions(), name)}
    return changed if len(json.dumps(changed)) <= MAX_OPTIONS_LENGTH else None


def _storable_scopes(options: SignInOptions) -> tuple[str, ...]:
    """Return the additional scopes; none if they are too long for a cookie."""
    scopes = tuple(options.scopes)
    return scopes if len(json.dumps(scopes)) <= MAX_OPTIONS_LENGTH else ()


def _resource_digest() -> str:
    # The indicator itself may be too long for a cookie.
    return _digest(conf.second_factor_resource) if conf.second_factor_resource else ""


def load_pending(request: HttpRequest, state: str) -> PendingSignIn | None:
    """Return the pending sign-in with `state` of this browser, also a used or expired one; None if there is none."""
    return _load(request, state, is_host_only=True) or _load(request, state, is_host_only=False)


@hide_frames
def _load(request: HttpRequest, state: str, *, is_host_only: bool) -> PendingSignIn | None:
    cookie = request.COOKIES.get(_cookie_name(state, is_host_only=is_host_only), "")
    value = decrypt(cookie, purpose=ENCRYPTION_PURPOSE)
    if value is None or value.get("state") != state:
        return None
    try:
        pending = PendingSignIn(**{**value, "code_verifier": Secret(value.get("code_verifier", ""))})
    except TypeError:
        return None  # the cookie was set by another version of this package
    # A subdomain can set a cookie without the prefix, with the value of one that had the prefix in another browser.
    return pending if pending.is_host_only == is_host_only else None


def save_pending(request: HttpRequest, response: HttpResponseBase, pending: PendingSignIn) -> None:
    """Set the cookie of `pending` on `response`, and delete the cookies of the oldest ones if there are too many."""
    name = _cookie_name(pending.state, is_host_only=pending.is_host_only)
    # A browser has several of these cookies, so defaults are left out.
    defaults = {each.name: each.default for each in fields(pending)}
    values = {key: value for key, value in asdict(pending).items() if value != defaults[key]}
    cookie = encrypt(values | {"code_verifier": pending.code_verifier.reveal()}, purpose=ENCRYPTION_PURPOSE)
    path = "/" if pending.is_host_only else settings.SESSION_COOKIE_PATH
    domain = None if pending.is_host_only else settings.SESSION_COOKIE_DOMAIN
    for surplus_name in _surplus_cookies(request, name, len(cookie)):
        response.delete_cookie(surplus_name, path=path, domain=domain)
    response.set_cookie(
        name,
        cookie,
        max_age=conf.sign_in_max_age_seconds + EXPIRED_RETENTION_SECONDS,
        path=path,
        domain=domain,
        # Behind a proxy that does not report https, the redirect URI tells how the browser reaches the site.
        secure=request.is_secure() or settings.SESSION_COOKIE_SECURE or pending.redirect_uri.startswith("https:"),
        httponly=True,
        # The callback is a cross-site navigation, to which browsers do not send Strict cookies.
        samesite="Lax",
    )


def _surplus_cookies(request: HttpRequest, name: str, length: int) -> list[str]:
    """Return the names of the oldest cookies that exceed the limits beside a new one with `name` and `length`.

    Only names that this module makes are returned. Others may contain characters that no response can contain.
    """
    shape = re.compile(re.escape(name[:-DIGEST_LENGTH]) + f"[0-9a-f]{{{DIGEST_LENGTH}}}")
    # Browsers send the oldest of equally specific cookies first (RFC 6265, section 5.4).
    newest_first = [cookie for cookie in reversed(request.COOKIES) if shape.fullmatch(cookie)]
    surplus, count = [], 1
    for cookie in newest_first:
        if cookie == name or not request.COOKIES[cookie]:
            continue
        count, length = count + 1, length + len(request.COOKIES[cookie])
        if count > conf.max_pending_sign_ins or length > MAX_COOKIES_LENGTH:
            surplus.append(cookie)
    return surplus[-MAX_DELETED_COOKIES:]


def _cookie_name(state: str, *, is_host_only: bool) -> str:
    return (HOST_PREFIX if is_host_only else "") + COOKIE_PREFIX + _digest(state)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]

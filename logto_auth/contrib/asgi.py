"""Sign-in for sockets and streams: `LogtoAuthMiddleware` for Channels, and for other ASGI applications.

    application = ProtocolTypeRouter({
        "http": get_asgi_application(),
        "websocket": LogtoAuthMiddleware(URLRouter([path("ws/orders/", OrderConsumer.as_asgi())])),
    })

Channels is not needed to import this module.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.urls import ResolverMatch
from django.utils.functional import SimpleLazyObject
from django.utils.http import is_same_domain

from logto_auth.access.requirements import Requirement
from logto_auth.api.authentication import TokenPrincipal, authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError, ProviderError, SignInRequired
from logto_auth.navigation import SAFE_METHODS
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.sessions.impersonation import set_impersonation
from logto_auth.sessions.principal import SessionPrincipal, request_principal
from logto_auth.sessions.revalidate import revalidate_session
from logto_auth.sign_in.next_url import is_sign_in_path
from logto_auth.users.current_request import use_request

from .open_sockets import Basis, OpenSocket, TooManyWaiting, in_thread, watcher

__all__ = ["CLOSE_CODE", "LogtoAuthMiddleware", "refresh"]

logger = logging.getLogger("logto_auth")

ASGIApp = Callable[[Any, Any, Any], Awaitable[Any]]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

CLOSE_CODE = 4401
"""The close code of a socket whose session or access token has ended (RFC 6455, section 7.4.2: a private code)."""
SUBPROTOCOL = "logto-bearer"
# A browser cannot set the header Authorization of a WebSocket, and can send names of subprotocols.
TOKEN_SUBPROTOCOL = f"{SUBPROTOCOL}."
# RFC 6750, section 2.3, and what frontends call tokens of OpenID Connect.
# Written without separators, so that `accessToken` and `x-access-token` are found too.
TOKEN_PARAMETERS = {"accesstoken", "authorization", "bearer", "idtoken", "refreshtoken", "xaccesstoken"}
SEPARATORS = re.compile(r"[^a-z]")
TOKEN_VALUE = re.compile(r"\s*(?:bearer\s.*|pat_\w{16,}|eyJ[\w-]+\.[\w-]+\.[\w-]*=*)\s*", re.IGNORECASE | re.DOTALL)
# Headers by which a page library, a prefetch or a navigation is recognized. A socket and a stream are none of them.
HEADERS_OF_PAGES = ("HTTP_HX_REQUEST", "HTTP_X_TURBO_REQUEST_ID", "HTTP_X_UP_VERSION")
HEADERS_OF_PREFETCHES = ("HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_PURPOSE", "HTTP_X_MOZ")
MAX_SESSION_KEY_LENGTH = 255
# How long an application may go on after its socket was closed, for example to leave its groups.
SECONDS_TO_END = 5
SECONDS_TO_SEND = 2
RETRY_AFTER_SECONDS = 30


class LogtoAuthMiddleware:
    """An ASGI application that authenticates sockets and streams, and passes them to `app`.

    It puts into the scope: `user`, `logto` (a `SessionPrincipal` or a `TokenPrincipal`), `session` and `cookies`. The
    session of the cookie is confirmed as for a page. An access token in the header `Authorization`, or in a subprotocol
    `logto-bearer.<token>`, has priority over the session. An open socket is closed with `CLOSE_CODE` when its session
    or its token ends, or its account is suspended; a stream is ended.

    Without requirements, sockets without a user are passed on with an `AnonymousUser`. `signed_in_required=True`
    refuses them. `requirements` are arguments of `access.Requirement`, such as `scopes=["read:orders"]`, and imply it.
    `resource`, `of_organization`, `accepts_machines` and `accepts_api_keys` are those of `api.authenticate`.

    Raise ValueError or TypeError for a requirement that cannot be met.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        signed_in_required: bool = False,
        resource: str | None = None,
        of_organization: bool | None = False,
        accepts_machines: bool = True,
        accepts_api_keys: bool = False,
        **requirements: Any,
    ) -> None:
        self.app = app
        self.requirement = Requirement.of(**requirements)
        self.signed_in_required = signed_in_required or bool(requirements)
        self._token_options: dict[str, Any] = {
            "resource": resource,
            "of_organization": of_organization,
            "accepts_machines": accepts_machines,
        }
        if accepts_api_keys:
            self._token_options |= {"accepts_api_keys": True, "key_scopes": self.requirement.all_scopes}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("websocket", "http"):
            await self.app(scope, receive, send)
            return
        try:
            connection = await self._connected(scope)
        except Refused as refusal:
            await _refuse(refusal, scope, receive, send)
            return
        inner = connection.scope_for(scope)
        with use_request(connection.request):
            if connection.basis is None:
                await self.app(inner, receive, send)
            else:
                await _Watched(connection, self.app).run(inner, receive, send)

    async def _connected(self, scope: Any) -> Connection:
        """Return the socket with its user. Raise Refused."""
        since = time.monotonic()
        request = _request_of(scope)
        token = _token_of(scope, request)
        if token is not None:
            request.META["HTTP_AUTHORIZATION"] = f"Bearer {token.reveal()}"
        has_token = _has_bearer(request)
        # The pages of the sign-in run with a session that Logto has not confirmed. A client chooses the path, so that
        # whatever answers there gets no user.
        session_key = None if has_token or is_sign_in_path(request.path) else _session_key(request)
        connection = Connection(request, since=since, has_token_in_subprotocol=token is not None)
        if not has_token and session_key is None:
            # Nothing is read for a visitor, so that a flood of them costs no thread.
            request.session = _session_store()()
            _set_user(request, AnonymousUser())
            request_principal(request)
            if self.signed_in_required:
                raise Refused(401, "sign_in_required", "Sign in, or send an access token of Logto.")
            return connection
        if not has_token and not _may_use_cookie(request):
            raise Refused(
                403,
                "origin_refused",
                "A page of another origin may not use the session of this site. Expected the origin of the site, or "
                "one of CSRF_TRUSTED_ORIGINS, in the header Origin.",
            )
        # From now on, the end of the session is noticed.
        await watcher().ready()
        try:
            await in_thread(lambda: self._authenticate(connection, session_key))
        except TooManyWaiting:
            raise Refused(503, "temporarily_unavailable", "Too many sockets are being opened. Try later.") from None
        return connection

    def _authenticate(self, connection: Connection, session_key: str | None) -> None:
        """Set the user of `connection`, and what it depends on. Raise Refused."""
        with use_request(connection.request):
            if session_key is None:
                self._authenticate_by_token(connection)
            else:
                _authenticate_by_session(connection, session_key)
                self._check_session(connection.request)

    @hide_frames
    def _authenticate_by_token(self, connection: Connection) -> None:
        request = connection.request
        request.session = _session_store()()
        try:
            principal = authenticate(request, **self._token_options)
        except LogtoError as error:
            raise Refused.by(ErrorResponse.of(error)) from None
        except ConfigurationError as error:
            # Such as a missing API resource. Any client can send a token, also to a site that accepts sessions only.
            logger.warning("Sockets accept no access tokens: %s", error)
            raise Refused(401, "invalid_token", "Sockets of this site do not accept this access token.") from None
        if principal is None:
            raise Refused.by(ErrorResponse.without_token())
        if unmet := ErrorResponse.unmet(self.requirement, principal):
            raise Refused.by(unmet)
        connection.depend_on_token(principal)

    def _check_session(self, request: HttpRequest) -> None:
        if not self.signed_in_required:
            return
        if not request.user.is_authenticated:
            raise Refused(401, "sign_in_required", "The session has ended, or nobody is signed in. Sign in.")
        try:
            missing = self.requirement.missing_from(request_principal(request))
        except LogtoError as error:
            raise Refused.by(ErrorResponse.of(error)) from None
        if missing is not None:
            raise Refused(403, "forbidden", f"The user does not meet a requirement: {missing.kind.value}.")


async def refresh(scope: Any) -> None:
    """Confirm the session of a socket again, and set `scope["user"]` and `scope["logto"]` as of now.

    They are otherwise as of the connect, whatever happens to roles and organizations meanwhile. It calls Logto only if
    the latest claims are stale. For a socket with an access token, or without a user, nothing changes.

    Raise SignInRequired if the session has ended: the socket is then about to be closed. Raise ValueError if `scope`
    did not pass `LogtoAuthMiddleware`. Raise ProviderError if too many sockets are being confirmed: let the
    client try again later.
    """
    connection = scope.get(CONNECTION)
    if not isinstance(connection, Connection):
        raise ValueError("refresh(): the scope did not pass LogtoAuthMiddleware.")
    session_key = connection.request.session.session_key
    if connection.basis is None or session_key is None:
        return
    again = Connection(_request_of(connection.scope), since=time.monotonic(), has_token_in_subprotocol=False)

    def authenticate_again() -> None:
        with use_request(again.request):
            _authenticate_by_session(again, session_key)

    try:
        await _in_thread_for_refresh(authenticate_again)
    except Refused as refusal:
        raise SignInRequired(refusal.description) from None
    if again.basis is None or again.basis.user_ids != connection.basis.user_ids:
        # Not by the keys of the user, whose other sessions continue.
        watcher().end(connection.basis.session_keys)
        raise SignInRequired("The session has ended.")
    # `has_perm` finds the principal by the request that is being answered, which stays the same.
    connection.request.session = again.request.session
    principal = request_principal(connection.request)
    if isinstance(principal, SessionPrincipal):
        principal.remember(request_principal(again.request).own_session)  # type: ignore[attr-defined]
    _set_user(connection.request, again.request.user)
    await _in_thread_for_refresh(lambda: _load(connection.request))
    scope.update({"user": connection.request.user, "logto": principal, "session": connection.request.session})


async def _in_thread_for_refresh(function: Callable[[], None]) -> None:
    try:
        await in_thread(function)
    except TooManyWaiting:
        raise ProviderError("Too many sockets are being confirmed. Try later.") from None


# The request of a socket

CONNECTION = "logto_auth.connection"


class Refused(Exception):
    """A socket or a stream that is not passed on, with the response."""

    def __init__(self, status: int, error: str, description: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.headers = headers or {}

    @classmethod
    def by(cls, response: ErrorResponse) -> Refused:
        """Return the refusal of an access token."""
        headers = {}
        if response.retry_after_seconds is not None:
            headers["Retry-After"] = str(response.retry_after_seconds)
        elif response.status == 401:
            headers["WWW-Authenticate"] = f'Bearer error="{response.error}"'
        return cls(response.status, response.error, response.description, headers)


class Connection:
    """A socket or a stream with its user."""

    def __init__(self, request: ASGIRequest, *, since: float, has_token_in_subprotocol: bool) -> None:
        self.request = request
        self.scope: Any = request.scope
        self.since = since
        self.has_token_in_subprotocol = has_token_in_subprotocol
        self.basis: Basis | None = None
        """What it depends on; None without a user."""
        self.ends_at: float | None = None
        """The end of its access token or of its impersonation, in seconds since the epoch."""

    def depend_on_token(self, principal: TokenPrincipal) -> None:
        """Let the connection end with an access token, and with its account."""
        user, identity = principal.user, principal.identity
        is_row = getattr(user, "_meta", None) is not None
        self.basis = Basis(
            identity_id=identity.pk if identity else None,
            account_id=user.pk if identity is None and is_row else None,
            user_ids=(user.pk,) if is_row else (),
        )
        # The leeway of the verification.
        self.ends_at = principal.token.expires_at + conf.clock_skew_seconds
        _load(self.request)

    def scope_for(self, scope: Any) -> dict[str, Any]:
        """Return the scope for the application."""
        request: Any = self.request
        inner = {
            **scope,
            "user": request.user,
            "logto": request.logto,
            "session": request.session,
            "cookies": request.COOKIES,
            CONNECTION: self,
        }
        if scope["type"] == "websocket":
            # An application that selected the subprotocol of the token would send the token back.
            offered = [each for each in scope.get("subprotocols") or () if not _is_token_subprotocol(each)]
            inner["subprotocols"] = offered
            inner["headers"] = _without_token_subprotocols(scope.get("headers") or ())
        return inner


def _request_of(scope: Any) -> ASGIRequest:
    """Return the request that opened a socket or a stream, as Django sees it. Raise Refused if it is a bad one."""
    is_websocket = scope["type"] == "websocket"
    scheme = scope.get("scheme") or ("ws" if is_websocket else "http")
    try:
        request = ASGIRequest(
            {
                **scope,
                "type": "http",
                "method": "GET" if is_websocket else scope["method"],
                "scheme": {"ws": "http", "wss": "https"}.get(scheme, scheme),
                # It may contain a token, which then nobody finds in a report about the request.
                "headers": [
                    (name, value) for name, value in scope.get("headers") or () if name != b"sec-websocket-protocol"
                ],
            },
            BytesIO(),
        )
        request.get_host()
        has_token = _has_token_in_query(request)
    except (SuspiciousOperation, ValueError):
        raise Refused(
            400, "invalid_request", "The request cannot be read, or its host is not in ALLOWED_HOSTS."
        ) from None
    if has_token:
        raise Refused(
            400,
            "invalid_request",
            "The query string contains a token. Query strings are stored in logs and histories: send the token in the "
            f"header Authorization, or from a browser in the subprotocol {TOKEN_SUBPROTOCOL}<token>. Let this token "
            "expire, or revoke it.",
        )
    for name in (*HEADERS_OF_PAGES, *HEADERS_OF_PREFETCHES):
        request.META.pop(name, None)
    # A redirect to Logto would lead nowhere, so that this is answered as a script is.
    request.META["HTTP_SEC_FETCH_MODE"] = "websocket" if is_websocket else "cors"
    vars(request).pop("headers", None)  # made from the former values
    route = scope.get("url_route") or {}
    kwargs = route.get("kwargs") if isinstance(route, Mapping) else None
    # For the organization that the URL selects, inside of URLRouter. It is also what the principal remembers it by.
    request.resolver_match = ResolverMatch(_no_view, (), dict(kwargs or {}))
    return request


def _no_view(request: HttpRequest) -> None:
    """The view of a request that has none."""


def _has_token_in_query(request: HttpRequest) -> bool:
    return any(
        SEPARATORS.sub("", name.lower()) in TOKEN_PARAMETERS
        # Also as a name: `?<token>`.
        or any(TOKEN_VALUE.fullmatch(text) for text in (name, *values))
        for name, values in request.GET.lists()
    )


@hide_frames
def _token_of(scope: Any, request: HttpRequest) -> Secret | None:
    """Return the access token in the subprotocols. Raise Refused if there are several tokens."""
    offered = [each for each in scope.get("subprotocols") or () if _is_token_subprotocol(each)]
    if not offered:
        return None
    # RFC 6750, section 2: a client must not use more than one method.
    if len(offered) > 1 or _has_bearer(request):
        raise Refused(400, "invalid_request", "The request contains more than one access token.")
    return Secret(offered[0][len(TOKEN_SUBPROTOCOL) :])


def _is_token_subprotocol(name: object) -> bool:
    return isinstance(name, str) and name.lower().startswith(TOKEN_SUBPROTOCOL)


def _without_token_subprotocols(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    kept = []
    for name, value in headers:
        if name == b"sec-websocket-protocol":
            parts = [each.strip() for each in value.split(b",")]
            value = b", ".join(each for each in parts if not each.lower().startswith(TOKEN_SUBPROTOCOL.encode()))
            if not value:
                continue
        kept.append((name, value))
    return kept


def _has_bearer(request: HttpRequest) -> bool:
    # As `authenticate` finds it, which also refuses the scheme without a token.
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    return header.strip(" \t").partition(" ")[0].lower() == "bearer"


def _session_store() -> type[SessionBase]:
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return store


def _session_key(request: HttpRequest) -> str | None:
    """Return the key in Django's cookie; None without one, or if no database could store it."""
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key or not key.isprintable():
        return None
    # With sessions in cookies, which Logto's are not, it is the session itself.
    return key if len(key) <= MAX_SESSION_KEY_LENGTH or issubclass(_session_store(), SignedCookieStore) else None


def _may_use_cookie(request: HttpRequest) -> bool:
    """Return whether the cookies came from a page of this site.

    Browsers let each page open a socket to each site, with the cookies of the site (cross-site WebSocket hijacking), so
    a socket needs the header `Origin`. For a request of HTTP, browsers let a page of another origin read the response
    only if the site allows it; a GET of the same origin has no `Origin`. Source: RFC 6455, section 10.2.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        return _is_own_origin(request, origin)
    return request.headers["Sec-Fetch-Mode"] != "websocket" and request.method in SAFE_METHODS


def _is_own_origin(request: HttpRequest, origin: str) -> bool:
    """Return whether `origin` is that of this request, or one of `CSRF_TRUSTED_ORIGINS`, as for Django's forms."""
    if origin.lower() == f"{request.scheme}://{request.get_host()}".lower():
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    for trusted in settings.CSRF_TRUSTED_ORIGINS:
        scheme, _, host = trusted.partition("://")
        if origin == trusted or (
            host.startswith("*") and parts.scheme == scheme and is_same_domain(parts.netloc.lower(), host.lstrip("*"))
        ):
            return True
    return False


# The session


def _authenticate_by_session(connection: Connection, session_key: str) -> None:
    """Set the user of the session, after confirming it as `LogtoMiddleware` does for a page. Raise Refused."""
    request: Any = connection.request
    request.session = _session_store()(session_key)
    set_impersonation(request, None)
    # A socket cannot change the cookie of the browser.
    request.is_socket = True
    request.user = SimpleLazyObject(lambda: get_user(request))
    principal = request_principal(request)
    refusal = revalidate_session(request)
    user = request.user
    # Not the lazy object: the application is async.
    _set_user(request, user._wrapped if user.is_authenticated and hasattr(user, "_wrapped") else user)
    _save(request.session)
    if refusal is not None:
        raise Refused(
            401,
            "sign_in_required",
            "The session has ended, or a page has to confirm it. Open a page of the site, and connect again.",
        )
    user, impersonation = request.user, request.impersonation
    if not user.is_authenticated:
        return
    if impersonation is not None:
        if impersonation.is_read_only and request.META["HTTP_SEC_FETCH_MODE"] == "websocket":
            text = "While you act as a user you may look at pages only. A socket could change something."
            raise Refused(403, "impersonation_read_only", text)
        connection.ends_at = impersonation.ends_at
    stored = principal.stored_session if isinstance(principal, SessionPrincipal) else None
    connection.basis = Basis(
        session_id=stored.key if stored else None,
        own_session_id=impersonation.own_session.key if impersonation else None,
        django_session=None if stored else request.session.session_key,
        # Only a row tells of the account. Some backends accept accounts that are not active.
        account_id=user.pk if stored is None and user.is_active else None,
        user_ids=tuple(
            dict.fromkeys(
                [
                    user.pk,
                    *([stored.user_id] if stored else []),
                    *([impersonation.impersonator.pk] if impersonation else []),
                ]
            )
        ),
    )
    _load(request)


def _set_user(request: Any, user: Any) -> None:
    async def auser() -> Any:
        return user

    request.user, request.auser = user, auser


def _save(session: SessionBase) -> None:
    """Store what the confirmation has changed, as Django does after a page."""
    if session.modified and not session.is_empty():
        # The session was deleted meanwhile.
        with suppress(UpdateError):
            session.save()


def _load(request: Any) -> None:
    """Read all that the principal needs from the database, because the application is async."""
    principal: Any = request.logto
    _ = (principal.organizations, principal.organization)


# Sockets and streams


@dataclass
class _State:
    """How far the messages of the application have come."""

    has_started: bool = False
    has_ended: bool = False
    has_length: bool = False


def _has_length(message: Any) -> bool:
    """Return whether `message` begins a response with a length."""
    headers = message.get("headers") or () if message["type"] == "http.response.start" else ()
    return any(name.lower() == b"content-length" for name, _value in headers)


class _Watched:
    """A socket or a stream of a user. It ends when the session does."""

    def __init__(self, connection: Connection, app: ASGIApp) -> None:
        self._connection = connection
        self._app = app
        self._state = _State()
        self._sending = asyncio.Lock()
        # Tasks of an application may receive at the same time.
        self._taking = asyncio.Lock()
        self._receiving: asyncio.Future[Any] | None = None
        self._cut: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held: Any = None

    async def run(self, scope: Any, receive: Receive, send: Send) -> None:
        self._is_websocket = scope["type"] == "websocket"
        self._receive, self._send = receive, send
        assert self._connection.basis is not None
        watching = watcher()
        socket = self._socket = OpenSocket(self._connection.basis, since=self._connection.since)
        timer: asyncio.TimerHandle | None = None
        if self._connection.ends_at is not None:
            seconds = max(self._connection.ends_at - time.time(), 0)
            timer = asyncio.get_running_loop().call_later(seconds, socket.end, "token_expired")
        watching.add(socket)
        app = asyncio.ensure_future(self._app(scope, self.receive, self.send))
        try:
            await asyncio.wait({app, socket.ended}, return_when=asyncio.FIRST_COMPLETED)
            if not app.done():
                await self._close(app)
            if app.done() and not app.cancelled():
                # An error of the application is one of the server.
                app.result()
        finally:
            if timer is not None:
                timer.cancel()
            watching.remove(socket)
            socket.end("closed")
            await _stop(app)
            await _stop(self._receiving)

    async def receive(self) -> Any:
        """Return the next message of the client, or that it is gone if the session has ended."""
        async with self._taking:
            if self._receiving is None:
                self._receiving = asyncio.ensure_future(self._receive())
            await asyncio.wait({self._receiving, self._cut}, return_when=asyncio.FIRST_COMPLETED)
            if self._is_over:
                # Also if a message has come: it is of a user who is signed out.
                if self._is_websocket:
                    return {"type": "websocket.disconnect", "code": CLOSE_CODE, "reason": self._socket.ended.result()}
                return {"type": "http.disconnect"}
            receiving, self._receiving = self._receiving, None
            return await receiving

    async def send(self, message: Any) -> None:
        """Send a message of the application, unless the session has ended."""
        async with self._sending:
            for each in self._sendable(message):
                await self._send(each)

    def _sendable(self, message: Any) -> list[Any]:
        """Return what can be sent now, after remembering what it means for the end."""
        if self._is_over:
            return []
        if not self._socket.ended.done() or self._state.has_length or _has_length(message):
            return [self._noted(message)]
        # A response that begins after the end, for example of a view that signs the user out. It must not be a stream.
        if message["type"] == "http.response.start":
            self._held = message
            return []
        if self._held is None or message.get("more_body", False):
            self._cut_off()
            return []
        return [self._noted(self._held), self._noted(message)]

    def _noted(self, message: Any) -> Any:
        """Return `message`, after remembering what it means for the end."""
        state, kind = self._state, message["type"]
        if kind == "websocket.accept":
            state.has_started = True
            return self._with_subprotocol(message)
        if kind == "http.response.start":
            state.has_started = True
            state.has_length = _has_length(message)
        elif kind == "websocket.close" or (kind == "http.response.body" and not message.get("more_body", False)):
            state.has_ended = True
        elif kind in ("websocket.http.response.start", "websocket.http.response.body"):
            # The application itself refuses the socket.
            state.has_started = state.has_ended = True
        return message

    def _with_subprotocol(self, message: Any) -> Any:
        """Return the acceptance with a subprotocol that is not the token: browsers need one if they offered any."""
        selected = message.get("subprotocol")
        if _is_token_subprotocol(selected):
            selected = None
        offered = self._connection.scope.get("subprotocols") or ()
        if selected is None and self._connection.has_token_in_subprotocol and SUBPROTOCOL in offered:
            selected = SUBPROTOCOL
        return {**message, "subprotocol": selected}

    @property
    def _is_over(self) -> bool:
        """Whether nothing more passes: never in a response with a length, half of which would be an error."""
        state = self._state
        has_begun = self._is_websocket or (state.has_started and not state.has_length)
        return self._cut.done() or (self._socket.ended.done() and has_begun)

    def _cut_off(self) -> None:
        if not self._cut.done():
            self._cut.set_result(None)

    async def _close(self, app: asyncio.Future[Any]) -> None:
        """Close the socket, and let the application end."""
        if not self._is_websocket and not self._state.has_started:
            # A view may be about to respond. What it has done must not look as if it had failed.
            await asyncio.wait({app, self._cut}, timeout=SECONDS_TO_END, return_when=asyncio.FIRST_COMPLETED)
        if self._state.has_length:
            await asyncio.wait({app})
        if app.done():
            return
        self._cut_off()
        await self._send_last(self._socket.ended.result())
        # It gets a disconnect, and cleans up.
        await asyncio.wait({app}, timeout=SECONDS_TO_END)

    async def _send_last(self, reason: str) -> None:
        async def send_all() -> None:
            async with self._sending:
                if self._state.has_ended:
                    return
                self._state.has_ended = True
                for message in self._last_messages(reason):
                    await self._send(message)

        # A client that reads nothing blocks the server, which closes the connection when this application returns.
        # Servers raise errors of any class if the client is gone already.
        try:
            await asyncio.wait_for(send_all(), SECONDS_TO_SEND)
        except Exception as error:
            logger.info("The end of a session could not be sent to a client: %s", type(error).__name__)

    def _last_messages(self, reason: str) -> list[Any]:
        if self._is_websocket:
            return [{"type": "websocket.close", "code": CLOSE_CODE, "reason": reason}]
        if self._state.has_started:
            return [{"type": "http.response.body", "body": b"", "more_body": False}]
        return _response_messages(Refused(401, "sign_in_required", "The session has ended."), "http.response")


async def _stop(task: asyncio.Future[Any] | None) -> None:
    """Cancel a task that has not ended."""
    if task is None or task.done():
        return
    task.cancel()
    await asyncio.wait({task}, timeout=SECONDS_TO_END)


# Refusals


async def _refuse(refusal: Refused, scope: Any, receive: Receive, send: Send) -> None:
    """Answer a socket or a stream that is not passed on."""
    logger.warning("A %s was refused: %s (%s)", scope["type"], refusal.description, refusal.error)
    if scope["type"] == "http":
        messages = _response_messages(refusal, "http.response")
    else:
        # The server has the handshake already.
        if (await receive())["type"] != "websocket.connect":
            return
        if "websocket.http.response" in (scope.get("extensions") or {}):
            messages = _response_messages(refusal, "websocket.http.response")
        else:
            # Before the acceptance, servers answer 403, whatever the code is.
            messages = [{"type": "websocket.close", "code": 4000 + refusal.status, "reason": refusal.error}]
    for message in messages:
        await send(message)


def _response_messages(refusal: Refused, kind: str) -> list[Any]:
    body = json.dumps({"error": refusal.error, "error_description": refusal.description}).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        **refusal.headers,
    }
    return [
        {
            "type": f"{kind}.start",
            "status": refusal.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        },
        {"type": f"{kind}.body", "body": body},
    ]

"""The request that is being answered, from which `has_perm` finds the principal of `request.user` (decision 0020)."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import ref

from django.http import HttpRequest
from django.utils.functional import LazyObject

__all__ = [
    "answered_request",
    "astream",
    "current_request",
    "principal_of_user",
    "remember_without_middleware",
    "stream",
    "unwrapped",
    "use_request",
]

T = TypeVar("T")

current_request: ContextVar[HttpRequest | ref[HttpRequest] | None] = ContextVar("logto_auth_request", default=None)
"""`LogtoMiddleware` sets it, and always resets it. For other requests see `remember_without_middleware`."""


@contextmanager
def use_request(request: HttpRequest) -> Iterator[None]:
    """Treat `request` as the request that is being answered, for code that runs outside `LogtoMiddleware`."""
    token = current_request.set(request)
    try:
        yield
    finally:
        current_request.reset(token)


def remember_without_middleware(request: HttpRequest) -> None:
    """Treat `request` as the request that is being answered, unless `LogtoMiddleware` handles one.

    No code runs at its end, so it is remembered by a weak reference. Until the next request of this thread, only the
    user object of `request` has its permissions.
    """
    if not isinstance(current_request.get(), HttpRequest):
        current_request.set(ref(request))


def stream(request: HttpRequest, content: Iterable[T]) -> Iterator[T]:
    """Yield the items of a streaming response, which Django produces after the middleware has returned."""
    items = iter(content)
    while True:
        # Not around the yield: between two items the server may answer another request in this thread.
        with use_request(request):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item


async def astream(request: HttpRequest, content: AsyncIterable[T]) -> AsyncIterator[T]:
    """See `stream`."""
    items = aiter(content)
    while True:
        with use_request(request):
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
        yield item


def answered_request() -> HttpRequest | None:
    """Return the request that is being answered; None outside of one."""
    request = current_request.get()
    return request() if isinstance(request, ref) else request


def principal_of_user(user: Any) -> Any:
    """Return `request.logto` if `user` is the user of the request that is being answered; None for any other object.

    Objects are compared by identity: another instance of the same user has no principal.
    """
    request = answered_request()
    if request is None or not _is_user_of(request, user):
        return None
    principal = getattr(request, "logto", None)
    return principal if principal is not None and principal.is_for(user) else None


def _is_user_of(request: HttpRequest, user: Any) -> bool:
    # Django caches what `request.auser()` returned here; it is not the instance of `request.user`.
    user_of_request = getattr(request, "user", None)
    candidates = (user_of_request, unwrapped(user_of_request), getattr(request, "_acached_user", None))
    return user is not None and any(user is each for each in candidates)


def unwrapped(user: Any) -> Any:
    """Return the instance in the `SimpleLazyObject` of `AuthenticationMiddleware`, without loading the user."""
    while isinstance(user, LazyObject):
        user = user._wrapped
    return user

"""Pages of a list, and the headers that describe them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Response, request

from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.oidc.http import json_response

_DEFAULT_SIZE = 20
_MAX_SIZE = 100
# JavaScript's largest safe integer.
_MAX_NUMBER = 2**53 - 1

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _Page:
    number: int
    size: int

    def of(self, items: Iterable[_Item]) -> list[_Item]:
        start = (self.number - 1) * self.size
        return list(islice(items, start, start + self.size))


def paged(items: Iterable[_Item], total: int, show: Callable[[_Item], Any]) -> Response:
    """Return one page of the items. Items after the page are not read."""
    page = _requested_page()
    headers = {"Total-Number": str(total), "Link": _link(page, total)}
    return json_response([show(item) for item in page.of(items)], headers=headers)


def optionally_paged(items: Sequence[_Item], show: Callable[[_Item], Any], *, total: int | None = None) -> Response:
    """Return one page if the request asks for a page; otherwise return all items, without headers.

    `total` is the number in the headers, where Logto counts more than the items.
    """
    if {"page", "page_size"} & request.args.keys():
        return paged(items, len(items) if total is None else total, show)
    return json_response([show(item) for item in items])


def _requested_page() -> _Page:
    number, size = _number("page", 1), _number("page_size", _DEFAULT_SIZE)
    if not 1 <= number <= _MAX_NUMBER or not 1 <= size <= _MAX_SIZE:
        raise APIError("guard.invalid_pagination", 400)
    return _Page(number, size)


def _number(name: str, default: int) -> int:
    try:
        return int(request.args.get(name, default))
    except ValueError:
        raise APIError("guard.invalid_pagination", 400) from None


def _link(page: _Page, total: int) -> str:
    """Return the `Link` header as Logto writes it.

    Its URLs lack `/api`, and a repeated parameter becomes one with commas, so they do not work.
    """
    last = max(1, -(-total // page.size))
    numbers = {
        "first": 1,
        "prev": page.number - 1 if page.number > 1 else None,
        "last": last,
        "next": page.number + 1 if page.number < last else None,
    }
    return ", ".join(f'<{_url(number)}>; rel="{rel}"' for rel, number in numbers.items() if number)


def _url(number: int) -> str:
    given = {name: ",".join(values) for name, values in request.args.lists()}
    query = urlencode({**given, "page": number}, safe="*")
    return f"{request.host_url}{request.path.removeprefix('/api/')}?{query}"

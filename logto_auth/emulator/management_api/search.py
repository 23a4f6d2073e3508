"""The search parameters of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from flask import request

from .api_errors import APIError

_MODES = ("exact", "like", "similar_to", "posix")

_Item = TypeVar("_Item")
_Test = Callable[[str], bool]


def searched(items: Iterable[_Item], fields: dict[str, str]) -> list[_Item]:
    """Return the items that match the search parameters. `fields` maps Logto's field names to attributes."""
    terms = list(_terms(fields))
    if not terms:
        return list(items)
    together = all if request.args.get("joint", "or") == "and" else any
    return [
        item
        for item in items
        if together(any(_fits(item, attribute, test) for attribute in attributes) for attributes, test in terms)
    ]


def is_searched() -> bool:
    """Return whether the request has a search parameter."""
    return any(name == "search" or name.startswith("search.") for name in request.args)


def _terms(fields: dict[str, str]) -> Iterable[tuple[Sequence[str], _Test]]:
    if request.args.get("joint", "or") not in {"or", "and"}:
        raise _invalid()
    for name, values in request.args.lists():
        if name == "search":
            attributes: Sequence[str] = list(fields.values())
        elif name.startswith("search."):
            field = name.removeprefix("search.")
            if field not in fields:
                raise _invalid()
            attributes = [fields[field]]
        else:
            continue
        mode = request.args.get(f"mode{name.removeprefix('search')}", request.args.get("mode", "like"))
        for value in values:
            yield attributes, _test(mode, value)


def _test(mode: str, wanted: str) -> _Test:
    if mode not in _MODES or not wanted:
        raise _invalid()
    exact_case = request.args.get("isCaseSensitive") == "true"
    if mode == "exact":
        return (lambda text: text == wanted) if exact_case else (lambda text: text.lower() == wanted.lower())
    patterns = {
        "like": _wildcards(re.escape(wanted)),
        "similar_to": _wildcards(wanted),
        "posix": wanted,
    }
    try:
        pattern = re.compile(patterns[mode], re.DOTALL if exact_case else re.DOTALL | re.IGNORECASE)
    except re.error:
        raise _invalid() from None
    matches = pattern.search if mode == "posix" else pattern.fullmatch
    return lambda text: matches(text) is not None


def _wildcards(pattern: str) -> str:
    """Return the pattern with SQL's wildcards replaced by those of regular expressions."""
    return pattern.replace("%", ".*").replace("_", ".")


def _fits(item: Any, attribute: str, test: _Test) -> bool:
    value = getattr(item, attribute)
    return value is not None and test(value)


def _invalid() -> APIError:
    return APIError("request.invalid_input", 400)

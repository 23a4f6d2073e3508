"""The search parameters of lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request

from logto_auth.emulator.api.errors import APIError, refused_input

_MODES = ("exact", "like", "similar_to", "posix")

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _Term:
    """One search parameter: the attributes that are searched, and the tests of which one must succeed."""

    attributes: Sequence[str]
    tests: Sequence[Callable[[str], bool]]

    def fits(self, item: Any) -> bool:
        texts = [text for text in (getattr(item, attribute) for attribute in self.attributes) if text is not None]
        return any(test(text) for test in self.tests for text in texts)


def searched(items: Iterable[_Item], fields: dict[str, str]) -> list[_Item]:
    """Return the items that match the search parameters. `fields` maps Logto's field names to attributes."""
    terms = list(_terms(fields))
    if not terms:
        return list(items)
    together = all if request.args.get("joint", "or") == "and" else any
    return [item for item in items if together(term.fits(item) for term in terms)]


def is_searched() -> bool:
    """Return whether the request has a search parameter."""
    return any(name == "search" or name.startswith("search.") for name in request.args)


def _terms(fields: dict[str, str]) -> Iterable[_Term]:
    if request.args.get("joint", "or") not in {"or", "and"}:
        raise _invalid("Search joint is not valid, expect one of or, and.")
    for name, values in request.args.lists():
        if name != "search" and not name.startswith("search."):
            continue
        attributes = _attributes(name, fields)
        mode = request.args.get(f"mode{name.removeprefix('search')}", request.args.get("mode", "like"))
        if mode not in _MODES:
            field = name.removeprefix("search.")
            reason = f"Search match mode `{mode}` for field `{field}` is not valid, expect one of {', '.join(_MODES)}."
            raise _invalid(reason)
        if not all(values):
            raise _invalid("Search value cannot be empty.")
        if len(values) > 1 and mode != "exact":
            raise _invalid("Only one search value is allowed when search mode is not `exact`.")
        yield _Term(attributes, [_test(mode, value) for value in values])


def _attributes(name: str, fields: dict[str, str]) -> Sequence[str]:
    if name == "search":
        return list(fields.values())
    field = name.removeprefix("search.")
    if field not in fields:
        known = ", ".join(fields.values())
        raise _invalid(f"Search field `{field}` is not valid, expect one of {known}.")
    return [fields[field]]


def _test(mode: str, wanted: str) -> Callable[[str], bool]:
    exact_case = request.args.get("isCaseSensitive") == "true"
    if mode == "exact":
        return (lambda text: text == wanted) if exact_case else (lambda text: text.lower() == wanted.lower())
    patterns = {
        "like": like_pattern(wanted),
        "similar_to": wanted.replace("%", ".*").replace("_", "."),
        "posix": wanted,
    }
    try:
        pattern = re.compile(patterns[mode], re.DOTALL if exact_case else re.DOTALL | re.IGNORECASE)
    except re.error:
        raise _invalid("Search value is not a pattern.") from None
    matches = pattern.search if mode == "posix" else pattern.fullmatch
    return lambda text: matches(text) is not None


def like_pattern(pattern: str) -> str:
    """Return a pattern of SQL's LIKE as a regular expression. A backslash makes the next character a literal one."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(each, re.escape(each[-1])) for each in parts)


def _invalid(reason: str) -> APIError:
    return refused_input(reason, data={})

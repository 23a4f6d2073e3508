"""List all users, or all holders of a role, by the characters of their ids.

Logto sorts its lists by the time of creation alone. If many users have the same time, because a script inserted them,
each page has them in another order: some users are on two pages, and others are on none. Users whose ids match a
pattern are in one page if there are at most 100 of them, and then the order does not matter.

Ids at Logto are 12 characters of a-z and 0-9. Its search ignores case, and compares by PostgreSQL's collation, so the
patterns have single characters instead of ranges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logto_auth.management_api.transport import PAGE_SIZE

if TYPE_CHECKING:
    from logto_auth.management_api.types import User

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
# How many users a pattern should match: few patterns match more than a page then.
GOOD_SIZE = 75

# Takes the parameters of a search. Returns the first page of the users found, and the number of all.
Search = Callable[..., tuple[list["User"], int]]


@dataclass(frozen=True)
class Group:
    """Users whose ids match a pattern."""

    pattern: str
    users: list[User]
    """The first page of them."""
    total: int

    @property
    def query(self) -> dict[str, Any]:
        """The parameters of the search for them."""
        return _query(self.pattern)

    @property
    def is_complete(self) -> bool:
        """Whether all users of the pattern are in `users`."""
        return self.total <= PAGE_SIZE


def all_groups(search: Search) -> Iterator[Group]:
    """Yield groups that have all users together. A group is not complete if its pattern cannot be divided."""
    yield from _divided(search, "", _group(search, "^"))


def _divided(search: Search, prefix: str, group: Group) -> Iterator[Group]:
    """Yield the groups of users whose ids begin with `prefix`."""
    if group.is_complete:
        yield group
        return
    found = 0
    for characters in _parts(ALPHABET, group.total):
        part = _group(search, f"^{prefix}[{characters}]")
        found += part.total
        yield from _divided_by_character(search, prefix, characters, part)
    # Other characters, and the id that is the prefix itself.
    if found < group.total:
        yield _group(search, f"^{prefix}([^{ALPHABET}]|$)")


def _divided_by_character(search: Search, prefix: str, characters: str, group: Group) -> Iterator[Group]:
    """Yield the groups of users whose ids have `prefix` and then one of `characters`."""
    if group.is_complete:
        if group.total:
            yield group
    elif len(characters) == 1:
        yield from _divided(search, prefix + characters, group)
    else:
        for part in _parts(characters, group.total):
            yield from _divided_by_character(search, prefix, part, _group(search, f"^{prefix}[{part}]"))


def _parts(characters: str, total: int) -> Iterator[str]:
    """Yield the characters in parts, so that each part matches a good number of users if ids are random."""
    size = min(max(1, len(characters) * GOOD_SIZE // total), max(1, len(characters) // 2))
    for start in range(0, len(characters), size):
        yield characters[start : start + size]


def _group(search: Search, pattern: str) -> Group:
    return Group(pattern, *search(**_query(pattern)))


def _query(pattern: str) -> dict[str, Any]:
    return {"search.id": pattern, "mode.id": "posix"}

"""The steps of a plan: what exists in the tenant, what is declared, and the requests that make the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Difference",
    "Step",
    "change_step",
    "creation_step",
    "exact_difference",
    "exact_list_difference",
    "list_difference",
    "merge",
    "value_difference",
]


@dataclass(frozen=True)
class Difference:
    """A property that differs from the declaration. A list only grows, except for the permissions of clients of
    others."""

    name: str
    before: Any
    after: Any

    @property
    def added(self) -> list[Any]:
        """The entries that a list lacks."""
        return [each for each in self.after if each not in (self.before or [])]

    @property
    def removed(self) -> list[Any]:
        """The entries that a list loses."""
        return [each for each in (self.before or []) if each not in self.after]


@dataclass(frozen=True)
class Step:
    """One declared object of the tenant, and the requests that create or change it."""

    action: Literal["create", "change", "nothing"]
    kind: str
    """The kind of object, such as `role`."""
    name: str
    """The name of the object, or the indicator of an API resource."""
    differences: tuple[Difference, ...] = ()
    send: Callable[[], object] = field(default=lambda: None, repr=False, compare=False)
    """Send the requests. Raise ManagementAPIError."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def creation_step(kind: str, name: str, properties: Mapping[str, Any], send: Callable[[], object]) -> Step:
    """Return the step that creates an object. Empty properties are left out of its differences."""
    differences = tuple(Difference(each, None, value) for each, value in properties.items() if value)
    return Step("create", kind, name, differences, send)


def change_step(kind: str, name: str, differences: Iterable[Difference | None], send: Callable[[], object]) -> Step:
    """Return the step that changes an object, or a step with the action `nothing` if there are no differences."""
    found = tuple(each for each in differences if each is not None)
    return Step("change", kind, name, found, send) if found else Step("nothing", kind, name)


def value_difference(name: str, before: object, after: object) -> Difference | None:
    """Return how a value differs from the declared value `after`. An empty `after` accepts any value."""
    return Difference(name, before, after) if after and before != after else None


def exact_difference(name: str, before: object, after: object) -> Difference | None:
    """Return how a value differs from the declared value `after`, which may be empty or False."""
    return Difference(name, before, after) if before != after else None


def list_difference(
    name: str, before: Iterable[str], declared: Iterable[str], key: Callable[[str], str] = lambda each: each
) -> Difference | None:
    """Return which entries of `declared` a list lacks, or None. Two entries with the same `key` count as equal."""
    existing = list(before)
    after = merge(existing, declared, key)
    return Difference(name, existing, after) if after != existing else None


def exact_list_difference(name: str, before: Iterable[str], declared: Iterable[str]) -> Difference | None:
    """Return how a list differs from the declared list, which also loses entries, or None. The order does not count."""
    existing, after = list(before), list(declared)
    return Difference(name, existing, after) if set(existing) != set(after) else None


def merge(existing: Iterable[str], declared: Iterable[str], key: Callable[[str], str] = lambda each: each) -> list[str]:
    """Return all existing entries, followed by the missing declared entries. Entries with the same `key` are equal."""
    merged = list(existing)
    keys = {key(each) for each in merged}
    for each in declared:
        if key(each) not in keys:
            keys.add(key(each))
            merged.append(each)
    return merged

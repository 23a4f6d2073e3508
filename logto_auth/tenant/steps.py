"""One thing that a plan finds to do at Logto, or finds done: what is there, what will be, and how it comes about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Difference:
    """A property that is not as declared. Of lists `before` is what is there and `after` has it all and more."""

    name: str
    before: Any
    after: Any

    @property
    def added(self) -> list[Any]:
        """What a list is to get."""
        return [each for each in self.after if each not in (self.before or [])]


@dataclass(frozen=True)
class Step:
    """One thing, and the requests that make it as declared."""

    action: Literal["create", "change", "nothing"]
    kind: str
    """Such as `role`."""
    name: str
    """Its name, or the indicator of an API resource."""
    differences: tuple[Difference, ...] = ()
    send: Callable[[], object] = field(default=lambda: None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def creation(kind: str, name: str, properties: Mapping[str, Any], send: Callable[[], object]) -> Step:
    """The step that makes something. Properties that are empty are not worth a line."""
    differences = tuple(Difference(each, None, value) for each, value in properties.items() if value)
    return Step("create", kind, name, differences, send)


def change(kind: str, name: str, differences: Iterable[Difference | None], send: Callable[[], object]) -> Step:
    """The step that changes what is there; a step of nothing when there is no difference."""
    found = tuple(each for each in differences if each is not None)
    return Step("change", kind, name, found, send) if found else Step("nothing", kind, name)


def value_difference(name: str, before: object, after: object) -> Difference | None:
    """How a value differs; what is declared as nothing differs in nothing."""
    return Difference(name, before, after) if after and before != after else None


def list_difference(
    name: str, before: Iterable[str], wanted: Iterable[str], same: Callable[[str], str] = lambda each: each
) -> Difference | None:
    """What of `wanted` a list lacks. What else is in it stays; `same` returns equal texts for what is the same."""
    there = list(before)
    after = united(there, wanted, same)
    return Difference(name, there, after) if after != there else None


def united(there: Iterable[str], wanted: Iterable[str], same: Callable[[str], str] = lambda each: each) -> list[str]:
    """All that is there, and after it what of `wanted` is not."""
    united = list(there)
    known = {same(each) for each in united}
    for each in wanted:
        if same(each) not in known:
            known.add(same(each))
            united.append(each)
    return united

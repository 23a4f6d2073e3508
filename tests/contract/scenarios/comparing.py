"""The comparison of an answer with the recorded one. All values must be equal, except those that Logto generates."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.contract.exchanges import Exchange

# Texts that Logto generates. The first one of a recording is remembered, and must then come again.
_GENERATED = frozenset(
    {
        "id",
        "token",
        "value",
        "signingKey",
        "sessionId",
        "access_token",
        "refresh_token",
        "id_token",
        "verificationRecordId",
        "challenge",
        "secret",
    }
)
_LISTS_OF_CODES = frozenset({"codes"})
_TIMES = frozenset({"createdAt", "updatedAt", "lastSignInAt", "expiresAt", "effectiveAt"})
_LEFT_OUT = re.compile(r"<left out(, \d+ characters)?>")
_COMPARED_HEADERS = (
    "Content-Type",
    "Access-Control-Allow-Origin",
    "Total-Number",
    "Link",
    "Allow",
    "WWW-Authenticate",
    "Cache-Control",
)


class Names:
    """The own ids and secrets by the recorded ones. Ids that both share need no entry."""

    def __init__(self) -> None:
        self._own: dict[str, str] = {}

    def learn(self, theirs: str, ours: str) -> None:
        """Remember that a recorded value corresponds to an own one."""
        self._own[theirs] = ours

    def own(self, text: str) -> str:
        """Return the text with own values in place of the recorded ones."""
        if not self._own:
            return text
        longest_first = sorted(self._own, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda found: self._own[found[0]], text)


def differences(names: Names, theirs: Mapping[str, Any], ours: Exchange, *, sort: bool = False) -> list[str]:
    """Return the differences as texts, and remember generated values. `sort` is for lists without a defined order."""
    found = [] if ours.status == theirs["status"] else [f"status: {ours.status} instead of {theirs['status']}"]
    found += _differences_of_headers(names, theirs, ours)
    their_body, our_body = theirs["body"], ours.body
    if sort:
        their_body = sorted(their_body, key=lambda each: names.own(json.dumps(each)))
        our_body = sorted(our_body, key=json.dumps)
    return [*found, *compare(names, their_body, our_body, "body")]


def keeping(names: Names, theirs: Mapping[str, Any], ours: Exchange) -> Exchange:
    """Return our list with the items that the recording keeps. The number of all items is not compared."""
    kept = {names.own(each["id"]) for each in theirs["body"]}
    total = theirs["headers"].get("Total-Number")
    headers = {**ours.headers, **({"Total-Number": total} if total else {})}
    return replace(ours, headers=headers, body=[each for each in ours.body if each["id"] in kept])


def _differences_of_headers(names: Names, theirs: Mapping[str, Any], ours: Exchange) -> Iterator[str]:
    recorded = {name.lower(): value for name, value in theirs["headers"].items()}
    received = {name.lower(): value for name, value in ours.headers.items()}
    for name in map(str.lower, _COMPARED_HEADERS):
        wanted, given = recorded.get(name), received.get(name)
        wanted = names.own(wanted) if wanted else wanted
        if name == "allow":
            wanted, given = _as_set(wanted), _as_set(given)
        if wanted != given:
            yield f"header {name}: {given!r} instead of {wanted!r}"


def _as_set(header: str | None) -> str:
    return ", ".join(sorted((header or "").split(", ")))


def compare(names: Names, theirs: Any, ours: Any, path: str) -> Iterator[str]:
    """Yield the differences between a recorded value and our own, and remember generated values."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if list(theirs) != list(ours):
            yield f"{path}: keys {list(ours)} instead of {list(theirs)}"
        for key in theirs.keys() & ours.keys():
            yield from _compare_member(names, key, theirs[key], ours[key], f"{path}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from compare(names, their, our, f"{path}[{index}]")
    elif isinstance(theirs, str) and isinstance(ours, str):
        if not _LEFT_OUT.search(theirs) and names.own(theirs) != ours:
            yield f"{path}: {ours!r} instead of {names.own(theirs)!r}"
    elif theirs != ours or type(theirs) is not type(ours):
        yield f"{path}: {ours!r} instead of {theirs!r}"


def _compare_member(names: Names, key: str, theirs: Any, ours: Any, path: str) -> Iterator[str]:
    if key in _GENERATED and isinstance(theirs, str) and isinstance(ours, str) and names.own(theirs) == theirs != ours:
        if _format(theirs) != _format(ours):
            yield f"{path}: the format of {ours!r} is not that of {theirs!r}"
        names.learn(theirs, ours)
    elif key in _LISTS_OF_CODES and isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for index, (their, our) in enumerate(zip(theirs, ours, strict=True)):
            yield from _compare_member(
                names, "secret" if isinstance(their, str) else "", their, our, f"{path}[{index}]"
            )
    elif key in _TIMES and theirs is not None and type(theirs) is type(ours):
        if _digits_as_zero(theirs) != _digits_as_zero(ours):
            yield f"{path}: the format of {ours} is not that of {theirs}"
    else:
        yield from compare(names, theirs, ours, path)


def _digits_as_zero(time: int | str) -> str:
    return re.sub(r"[0-9]", "0", str(time))


def _format(text: str) -> tuple[int, bool, bool]:
    """Return the length of a generated text, and whether it has upper case and other characters than letters."""
    if text.count(".") == 2:
        return 0, False, True  # a JWT, whose length depends on its claims
    return len(text), text.lower() != text, re.search(r"[^0-9A-Za-z_-]", text) is not None

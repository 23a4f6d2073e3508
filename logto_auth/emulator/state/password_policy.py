"""The password policy of a tenant, and why it rejects a password.

Source: the password policy of Logto 1.42, and its recorded rejections.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Iterator
from itertools import takewhile
from typing import Any

from .records import User

# The passwords that the list of known passwords has here. Logto asks an outside service.
KNOWN_PASSWORDS = frozenset({"password", "password1", "password123", "12345678", "qwertyuiop", "iloveyou1"})

_SEQUENCES = (
    *(string.digits, string.ascii_lowercase, "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol"),
)
_RUNS = tuple(run for each in _SEQUENCES for run in (each, each[::-1], each.upper(), each[::-1].upper()))
_KINDS_OF_CHARACTERS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation + " ")
# Shorter repetitions and sequences do not count.
_SHORTEST = 3
# This number of other characters makes a password acceptable.
_ENOUGH_OTHERS = 3

_Rule = Callable[[str], int]


def asks_known_passwords(policy: dict[str, Any]) -> bool:
    """Return whether Logto asks the list of known passwords. It does by default."""
    return bool(_rejects(policy)["pwned"])


def rejections(
    policy: dict[str, Any], password: str, user: User, known: Collection[str] = KNOWN_PASSWORDS
) -> list[dict[str, Any]]:
    """Return why the policy rejects a password, as Logto's issues. An empty list means that it is accepted."""
    found = [*_simple_rejections(policy, password)]
    if asks_known_passwords(policy) and password in known:
        found.append(_issue("pwned"))
    return found + [_issue(f"restricted.{code}") for code in _restricted(policy, password, user)]


def _simple_rejections(policy: dict[str, Any], password: str) -> Iterator[dict[str, Any]]:
    length, kinds_wanted = policy.get("length", {}), policy.get("characterTypes", {}).get("min", 1)
    at_least, at_most = length.get("min", 8), length.get("max", 256)
    if len(password) < at_least:
        yield _issue("too_short", min=at_least)
    elif len(password) > at_most:
        yield _issue("too_long", max=at_most)
    if not set(password) <= set("".join(_KINDS_OF_CHARACTERS)):
        yield _issue("unsupported_characters")
    elif sum(any(char in kind for char in password) for kind in _KINDS_OF_CHARACTERS) < kinds_wanted:
        yield _issue("character_types", min=kinds_wanted)


def _restricted(policy: dict[str, Any], password: str, user: User) -> list[str]:
    """Return the restricted parts of the password, if little else is in it."""
    covered: set[int] = set()
    codes: dict[str, None] = {}
    for start in range(len(password)):
        for code, rule in _rules(policy, user).items():
            if length := rule(password[start:]):
                covered.update(range(start, start + length))
                codes[code] = None
    return list(codes) if len(covered) > max(1, len(password) - _ENOUGH_OTHERS) else []


def _rules(policy: dict[str, Any], user: User) -> dict[str, _Rule]:
    """Return the rules of the policy. Each returns the length of the restricted part at the start of a text."""
    rejects = _rejects(policy)
    rules: dict[str, _Rule] = {}
    if rejects["repetitionAndSequence"]:
        rules |= {"repetition": _repetition, "sequence": _sequence}
    if rejects["words"]:
        rules["words"] = _longest_of(rejects["words"])
    if rejects["userInfo"]:
        rules["user_info"] = _longest_of(_words_about(user))
    return rules


def _rejects(policy: dict[str, Any]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"pwned": True, "repetitionAndSequence": True, "userInfo": True, "words": []}
    return {**defaults, **policy.get("rejects", {})}


def _repetition(text: str) -> int:
    length = sum(1 for _ in takewhile(lambda char: char == text[0], text))
    return length if length >= _SHORTEST else 0


def _sequence(text: str) -> int:
    lengths = (length for length in range(len(text), _SHORTEST - 1, -1) if any(text[:length] in run for run in _RUNS))
    return next(lengths, 0)


def _longest_of(words: Collection[str]) -> _Rule:
    lower = [word.lower() for word in words if word]
    return lambda text: max((len(word) for word in lower if text.lower().startswith(word)), default=0)


def _words_about(user: User) -> list[str]:
    """Return the names, the e-mail before its "@", and the phone of a user."""
    name = user.name or ""
    names = [name, "".join(name.split()), *name.split(" ")]
    return [*names, user.username or "", (user.primary_email or "").split("@")[0], user.primary_phone or ""]


def _issue(code: str, **interpolation: int) -> dict[str, Any]:
    return {"code": f"password_rejected.{code}", **({"interpolation": interpolation} if interpolation else {})}

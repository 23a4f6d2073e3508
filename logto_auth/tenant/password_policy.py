"""The password policy: its declaration, and the part of a plan about it. A tenant has one for all applications."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .steps import Step, change_step, exact_difference, list_difference, merge

if TYPE_CHECKING:
    from logto_auth.management_api.types import PasswordCharacterTypes, PasswordLength, PasswordRejects
    from logto_auth.management_api.types import PasswordPolicy as StoredPasswordPolicy

__all__ = ["PasswordPolicy", "complete_policy", "password_policy_errors", "password_policy_step"]

T = TypeVar("T")

# Lower-case letters, upper-case letters, digits and symbols.
CHARACTER_TYPES = 4


@dataclass(frozen=True, kw_only=True)
class PasswordPolicy:
    """What a new password must be like. Existing passwords are not checked. None: not changed in the tenant."""

    min_length: int | None = None
    max_length: int | None = None
    min_character_types: int | None = None
    """How many of the four types a password must contain: lower-case letters, upper-case letters, digits, symbols."""
    reject_pwned: bool | None = None
    """Reject passwords that have been leaked. Logto's server asks api.pwnedpasswords.com about each new password. If
    it cannot reach that service, it answers 500, and no password can be set."""
    reject_repetition_and_sequence: bool | None = None
    """Reject passwords that consist of repetitions and sequences, such as `aaaaaaaa` and `12345678`."""
    reject_user_info: bool | None = None
    """Reject passwords that consist of the user's name, username, e-mail address or phone number."""
    rejected_words: Sequence[str] = ()
    """Words that a password must not consist of. They are added to those of the tenant."""


def password_policy_errors(declared: PasswordPolicy | None) -> Iterator[str]:
    """Yield a sentence for each value that Logto would reject, or would accept and never use."""
    if declared is None:
        return
    lengths = [
        *_number_errors("min_length", declared.min_length),
        *_number_errors("max_length", declared.max_length),
    ]
    yield from lengths
    if not lengths and declared.min_length and declared.max_length and declared.min_length > declared.max_length:
        yield (
            f"min_length of password_policy is {declared.min_length}, which is more than max_length "
            f"{declared.max_length}. No password would be accepted."
        )
    yield from _number_errors("min_character_types", declared.min_character_types, CHARACTER_TYPES)
    for name in ("reject_pwned", "reject_repetition_and_sequence", "reject_user_info"):
        value = getattr(declared, name)
        if value is not None and not isinstance(value, bool):
            yield f"{name} of password_policy is {value!r:.80}, expected True, False or None."
    if isinstance(declared.rejected_words, str):
        yield "rejected_words of password_policy is a string, expected a list of words."
    elif not all(word.strip() for word in declared.rejected_words):
        yield "rejected_words of password_policy contains an empty word. Remove it."


def _number_errors(name: str, value: object, maximum: int | None = None) -> Iterator[str]:
    # A bool is an int in Python, and not a number in JSON.
    is_number = type(value) is int and 1 <= value <= (maximum or value)
    if value is not None and not is_number:
        expected = f"a whole number from 1 to {maximum}" if maximum else "a whole number of 1 or more"
        yield f"{name} of password_policy is {value!r:.80}, expected {expected}."


def password_policy_step(api: ManagementAPI, declared: PasswordPolicy, stored: StoredPasswordPolicy) -> Step:
    """Return the step that changes the password policy. `stored` is that of the tenant.

    Raise ConfigurationError if the declared length and that of the tenant would allow no password.
    """
    before, after = complete_policy(stored), _merged(stored, declared)
    length = after["length"]
    if length["min"] > length["max"] and (declared.min_length or declared.max_length):
        raise ConfigurationError(
            f"The password policy would require at least {length['min']} characters and allow at most "
            f"{length['max']}. Declare both min_length and max_length of password_policy."
        )
    old, new = before["rejects"], after["rejects"]
    differences = [
        exact_difference("minimum length", before["length"]["min"], length["min"]),
        exact_difference("maximum length", before["length"]["max"], length["max"]),
        exact_difference("minimum character types", before["characterTypes"]["min"], after["characterTypes"]["min"]),
        exact_difference("rejects leaked passwords", old["pwned"], new["pwned"]),
        exact_difference(
            "rejects repetitions and sequences", old["repetitionAndSequence"], new["repetitionAndSequence"]
        ),
        exact_difference("rejects user information", old["userInfo"], new["userInfo"]),
        list_difference("rejected words", old["words"], declared.rejected_words),
    ]

    def send() -> None:
        # Read the current value again, to keep what was added since the plan was made.
        current = api.sign_in_experience.get()["passwordPolicy"]
        api.sign_in_experience.update({"passwordPolicy": _merged(current, declared)})

    return change_step("password policy", "of all applications of the tenant", differences, send)


def complete_policy(stored: StoredPasswordPolicy) -> StoredPasswordPolicy:
    """Return a stored policy with Logto's defaults for what the tenant has not set."""
    length: PasswordLength = {"min": 8, "max": 256, **stored.get("length", {})}
    character_types: PasswordCharacterTypes = {"min": 1, **stored.get("characterTypes", {})}
    rejects: PasswordRejects = {
        "pwned": True,
        "repetitionAndSequence": True,
        "userInfo": True,
        "words": [],
        **stored.get("rejects", {}),
    }
    return {**stored, "length": length, "characterTypes": character_types, "rejects": rejects}


def _merged(stored: StoredPasswordPolicy, declared: PasswordPolicy) -> StoredPasswordPolicy:
    """Return the stored policy with the declared values. Logto replaces the whole object."""
    policy = complete_policy(stored)
    length, character_types, rejects = policy["length"], policy["characterTypes"], policy["rejects"]
    return {
        **policy,
        "length": {
            "min": _either(declared.min_length, length["min"]),
            "max": _either(declared.max_length, length["max"]),
        },
        "characterTypes": {"min": _either(declared.min_character_types, character_types["min"])},
        "rejects": {
            "pwned": _either(declared.reject_pwned, rejects["pwned"]),
            "repetitionAndSequence": _either(declared.reject_repetition_and_sequence, rejects["repetitionAndSequence"]),
            "userInfo": _either(declared.reject_user_info, rejects["userInfo"]),
            "words": merge(rejects["words"], declared.rejected_words),
        },
    }


def _either(declared: T | None, stored: T) -> T:
    return stored if declared is None else declared

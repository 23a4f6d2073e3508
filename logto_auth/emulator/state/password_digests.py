"""Password digests imported from other systems.

Bcrypt is verified if the package `bcrypt` is installed, and Argon2 if `argon2-cffi` is; otherwise no password matches
them. `firebase-scrypt` is stored, and no password matches it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ALGORITHMS = ("Argon2i", "Argon2id", "Argon2d", "SHA1", "SHA256", "MD5", "Bcrypt", "Legacy")
_HEX_SALT = "hex:"
_BCRYPT = re.compile(r"\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}")
_ARGON2 = re.compile(r"\$argon2(id|i|d)\$v=[0-9]+\$([mtp]=[0-9]+,){2}[mtp]=[0-9]+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")


class MalformedDigest(ValueError):
    """A digest that the verification cannot read. Logto answers 500."""


class InvalidLegacyDigest(ValueError):
    """A Legacy digest that Logto refuses. `unsupported` is the function, if that is the reason."""

    def __init__(self, unsupported: str | None = None) -> None:
        super().__init__(unsupported or "not a Legacy digest")
        self.unsupported = unsupported


@dataclass(frozen=True)
class PasswordDigest:
    """A digest that was imported in place of a password."""

    algorithm: str
    value: str = field(repr=False)

    def fits(self, password: str) -> bool:
        """Return whether the password matches. Raise MalformedDigest. As in Logto, nothing matches an empty digest."""
        return bool(self.value) and _VERIFIERS[self.algorithm](self.value, password)


def check_legacy_digest(digest: str) -> None:
    """Raise InvalidLegacyDigest unless the text is `[function, [arguments with "@"], hash]` in JSON."""
    function, arguments, _ = _legacy_parts(digest)
    if function == "pbkdf2":
        _salt(arguments[0])
    elif function not in hashlib.algorithms_available and function != "firebase-scrypt":
        raise InvalidLegacyDigest(function)


def _legacy_parts(digest: str) -> tuple[str, list[str], str]:
    try:
        function, arguments, expected = json.loads(digest)
        texts = [function, *arguments, expected]
    except (TypeError, ValueError):
        raise InvalidLegacyDigest from None
    if not isinstance(arguments, list) or "@" not in arguments or not all(isinstance(each, str) for each in texts):
        raise InvalidLegacyDigest
    return function, arguments, expected


def _salt(text: str) -> bytes:
    """Return the salt of PBKDF2, which is hexadecimal after `hex:`. Raise InvalidLegacyDigest."""
    if not text.startswith(_HEX_SALT):
        return text.encode()
    try:
        return bytes.fromhex(text.removeprefix(_HEX_SALT))
    except ValueError:
        raise InvalidLegacyDigest from None


def _legacy_fits(digest: str, password: str) -> bool:
    function, arguments, expected = _legacy_parts(digest)
    try:
        derived = _pbkdf2(arguments, password) if function == "pbkdf2" else _hashed(function, arguments, password)
    except (TypeError, ValueError):
        return False
    return hmac.compare_digest(derived.hex(), expected)


def _pbkdf2(arguments: Sequence[str], password: str) -> bytes:
    salt, iterations, length, algorithm, _ = arguments
    return hashlib.pbkdf2_hmac(algorithm, password.encode(), _salt(salt), int(iterations), int(length))


def _hashed(algorithm: str, arguments: Sequence[str], password: str) -> bytes:
    """Return the hash of the joined arguments, with the password in place of "@"."""
    text = "".join(password if argument == "@" else argument for argument in arguments)
    return hashlib.new(algorithm, text.encode(), usedforsecurity=False).digest()


def _plain(algorithm: str) -> Callable[[str, str], bool]:
    return lambda digest, password: hmac.compare_digest(_hashed(algorithm, ["@"], password).hex(), digest)


def _bcrypt_fits(digest: str, password: str) -> bool:
    if not _BCRYPT.fullmatch(digest):
        raise MalformedDigest
    try:
        import bcrypt
    except ImportError:
        return False
    try:
        return bcrypt.checkpw(password.encode(), digest.encode())
    except ValueError:
        return False


def _argon2_fits(digest: str, password: str) -> bool:
    if not _ARGON2.fullmatch(digest):
        raise MalformedDigest
    try:
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError
    except ImportError:
        return False
    try:
        return PasswordHasher().verify(digest, password)
    except InvalidHashError as error:
        raise MalformedDigest from error
    except VerificationError:
        return False


_VERIFIERS: dict[str, Callable[[str, str], bool]] = {
    **dict.fromkeys(("Argon2i", "Argon2id", "Argon2d"), _argon2_fits),
    "SHA1": _plain("sha1"),
    "SHA256": _plain("sha256"),
    "MD5": _plain("md5"),
    "Bcrypt": _bcrypt_fits,
    "Legacy": _legacy_fits,
}

"""Password digests imported from other systems.

Argon2id is verified if the installed `cryptography` supports it. Bcrypt, Argon2i and Argon2d digests are stored, but no
password matches them: no dependency of the emulator can verify them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidKey, UnsupportedAlgorithm

ALGORITHMS = ("Argon2i", "Argon2id", "Argon2d", "SHA1", "SHA256", "MD5", "Bcrypt", "Legacy")
_PLAIN_DIGESTS = frozenset({"SHA1", "SHA256", "MD5"})


@dataclass(frozen=True)
class PasswordDigest:
    """A digest that was imported in place of a password."""

    algorithm: str
    value: str = field(repr=False)

    def fits(self, password: str) -> bool:
        """Return whether the password matches."""
        if self.algorithm in _PLAIN_DIGESTS:
            digest = hashlib.new(self.algorithm.lower(), password.encode(), usedforsecurity=False).hexdigest()
            # Logto compares with lower-case digits.
            return hmac.compare_digest(digest.encode(), self.value.encode())
        if self.algorithm == "Legacy":
            return _legacy_fits(self.value, password)
        return self.algorithm == "Argon2id" and _argon2id_fits(self.value, password)


def is_legacy_expression(digest: str) -> bool:
    """Return whether a Legacy digest is a JSON list of a function, its arguments including "@", and a hash."""
    try:
        function, arguments, expected = json.loads(digest)
        texts = [function, *arguments, expected]
    except (TypeError, ValueError):
        return False
    return isinstance(arguments, list) and "@" in arguments and all(isinstance(each, str) for each in texts)


def _legacy_fits(digest: str, password: str) -> bool:
    """Return whether the password matches `[function, arguments, hex]` in JSON, with the password in place of "@"."""
    function, arguments, expected = json.loads(digest)
    try:
        if function == "pbkdf2":
            derived = _pbkdf2(*arguments[:4], password=password)
        else:
            texts = [password if each == "@" else each for each in arguments]
            derived = hashlib.new(function, "".join(texts).encode(), usedforsecurity=False).digest()
    except (TypeError, ValueError):
        return False
    return hmac.compare_digest(derived.hex().encode(), expected.encode())


def _pbkdf2(salt: str, iterations: str, length: str, algorithm: str, *, password: str) -> bytes:
    salt_bytes = bytes.fromhex(salt[4:]) if salt.startswith("hex:") else salt.encode()
    return hashlib.pbkdf2_hmac(algorithm, password.encode(), salt_bytes, int(iterations), int(length))


def _argon2id_fits(digest: str, password: str) -> bool:
    try:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        Argon2id.verify_phc_encoded(password.encode(), digest)
    except (ImportError, InvalidKey, UnsupportedAlgorithm, ValueError):
        return False
    return True

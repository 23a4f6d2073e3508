"""Django's password hashes in the formats that Logto accepts. Pure.

Source: tests on Logto 1.41, which accepted the passwords of PBKDF2 with SHA-256, Argon2id and bcrypt at sign-in.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field

# The length of the column in Logto's database.
MAX_DIGEST_LENGTH = 256
KEY_LENGTHS = {"sha256": 32, "sha1": 20}
ARGON2_ALGORITHMS = {"argon2id": "Argon2id", "argon2i": "Argon2i", "argon2d": "Argon2d"}


class UnsupportedHash(ValueError):
    """Logto cannot check this hash. The message says why, and contains nothing of the hash."""


@dataclass(frozen=True)
class Digest:
    """A password's digest as `POST /users` accepts it."""

    algorithm: str
    value: str = field(repr=False)

    @property
    def payload(self) -> dict[str, str]:
        """The members of the request body."""
        return {"passwordAlgorithm": self.algorithm, "passwordDigest": self.value}


def digest_of(encoded: str) -> Digest:
    """Return the digest for Logto of a password whose hash Django stores as `encoded`. Raise UnsupportedHash."""
    algorithm, _, rest = encoded.partition("$")
    if encoded.startswith("!") or not rest:
        raise UnsupportedHash("the account has no usable password")
    if algorithm in {"pbkdf2_sha256", "pbkdf2_sha1"}:
        digest = Digest("Legacy", _pbkdf2(rest, algorithm.removeprefix("pbkdf2_")))
    elif algorithm == "argon2":
        digest = _argon2(rest)
    elif algorithm == "bcrypt":
        digest = Digest("Bcrypt", rest)
    else:
        raise UnsupportedHash(f"Logto does not support hashes of the kind {algorithm[:30]!r}")
    if len(digest.value) > MAX_DIGEST_LENGTH:
        raise UnsupportedHash(f"the hash is longer than the {MAX_DIGEST_LENGTH} characters that Logto accepts")
    return digest


def _pbkdf2(rest: str, algorithm: str) -> str:
    """Return Logto's expression: a function, its arguments with "@" for the password, and the expected result."""
    try:
        iterations, salt, encoded_hash = rest.split("$")
        key = base64.b64decode(encoded_hash, validate=True)
    except (ValueError, binascii.Error) as error:
        raise UnsupportedHash("the hash is malformed") from error
    length = KEY_LENGTHS[algorithm]
    if not iterations.isdecimal() or len(key) != length or salt in {"", "@"}:
        raise UnsupportedHash("the hash is malformed")
    return json.dumps(["pbkdf2", [salt, iterations, str(length), algorithm, "@"], key.hex()])


def _argon2(rest: str) -> Digest:
    algorithm = ARGON2_ALGORITHMS.get(rest.partition("$")[0])
    if algorithm is None:
        raise UnsupportedHash("Logto does not support this kind of Argon2")
    return Digest(algorithm, f"${rest}")

"""Django's password hashes in the forms that Logto takes. Pure.

Source: tried on Logto 1.41, which then let people in with their passwords: PBKDF2 with SHA-256, Argon2id and bcrypt.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field

# The column of Logto's database.
MAX_DIGEST_LENGTH = 256
KEY_LENGTHS = {"sha256": 32, "sha1": 20}
ARGON2_ALGORITHMS = {"argon2id": "Argon2id", "argon2i": "Argon2i", "argon2d": "Argon2d"}


class DoesNotFit(ValueError):
    """Logto cannot check this hash. The text says why, and nothing of the hash."""


@dataclass(frozen=True)
class Digest:
    """A password's digest as `POST /users` takes it."""

    algorithm: str
    value: str = field(repr=False)

    @property
    def payload(self) -> dict[str, str]:
        return {"passwordAlgorithm": self.algorithm, "passwordDigest": self.value}


def digest_of(encoded: str) -> Digest:
    """What Logto is to be told in place of the password whose hash Django has as `encoded`. Raises DoesNotFit."""
    algorithm, _, rest = encoded.partition("$")
    if encoded.startswith("!") or not rest:
        raise DoesNotFit("there is no usable password")
    if algorithm in {"pbkdf2_sha256", "pbkdf2_sha1"}:
        digest = Digest("Legacy", _pbkdf2(rest, algorithm.removeprefix("pbkdf2_")))
    elif algorithm == "argon2":
        digest = _argon2(rest)
    elif algorithm == "bcrypt":
        digest = Digest("Bcrypt", rest)
    else:
        raise DoesNotFit(f"Logto does not know hashes of the kind {algorithm[:30]!r}")
    if len(digest.value) > MAX_DIGEST_LENGTH:
        raise DoesNotFit(f"the hash is longer than the {MAX_DIGEST_LENGTH} characters that Logto takes")
    return digest


def _pbkdf2(rest: str, algorithm: str) -> str:
    """Logto's expression for a function, its arguments, of which "@" is the password, and what comes of it."""
    try:
        iterations, salt, encoded_hash = rest.split("$")
        key = base64.b64decode(encoded_hash, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DoesNotFit("the hash is damaged") from error
    length = KEY_LENGTHS[algorithm]
    if not iterations.isdecimal() or len(key) != length or salt in {"", "@"}:
        raise DoesNotFit("the hash is damaged")
    return json.dumps(["pbkdf2", [salt, iterations, str(length), algorithm, "@"], key.hex()])


def _argon2(rest: str) -> Digest:
    algorithm = ARGON2_ALGORITHMS.get(rest.partition("$")[0])
    if algorithm is None:
        raise DoesNotFit("Logto does not know this kind of Argon2")
    return Digest(algorithm, f"${rest}")

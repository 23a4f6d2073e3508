"""Django's password hashes in the formats that Logto accepts. No database.

Source: tests on Logto 1.42. It accepted all these kinds, and the users signed in with their passwords.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from django.contrib.auth.hashers import get_hashers

# The length of the column in Logto's database.
MAX_DIGEST_LENGTH = 256
MALFORMED = "the hash is malformed"
# Of the function in Node.js, on which Logto runs.
MAX_ITERATIONS = 2**31 - 1
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
    if _UNSALTED_MD5.fullmatch(encoded):
        return Digest("MD5", encoded)
    if encoded.startswith("!") or not rest:
        raise UnsupportedHash("the account has no usable password")
    if algorithm not in _CONVERTERS:
        raise UnsupportedHash(f"Logto does not support hashes of the kind {algorithm[:30]!r}")
    digest = _CONVERTERS[algorithm](rest)
    if len(digest.value) > MAX_DIGEST_LENGTH:
        raise UnsupportedHash(f"the hash is longer than the {MAX_DIGEST_LENGTH} characters that Logto accepts")
    return digest


def may_move(encoded: str) -> bool:
    """Return whether a password can move at a sign-in: Django can check its hash, which Logto cannot import."""
    algorithm, dollar, _ = encoded.partition("$")
    known = {hasher.algorithm for hasher in get_hashers()}
    return bool(dollar) and algorithm in known and algorithm not in IMPORTED_ALGORITHMS


def _pbkdf2(algorithm: str, rest: str) -> Digest:
    try:
        iterations, salt, encoded_hash = rest.split("$")
        key = base64.b64decode(encoded_hash, validate=True)
    except (ValueError, binascii.Error) as error:
        raise UnsupportedHash(MALFORMED) from error
    length = KEY_LENGTHS[algorithm]
    if not _is_iterations(iterations) or len(key) != length or salt in {"", "@"}:
        raise UnsupportedHash(MALFORMED)
    if salt.startswith("hex:"):
        raise UnsupportedHash("its salt begins with 'hex:', and Logto would read the rest as hexadecimal digits")
    return _legacy("pbkdf2", [salt, iterations, str(length), algorithm, "@"], key.hex())


def _is_iterations(text: str) -> bool:
    return re.fullmatch(r"[0-9]{1,10}", text) is not None and 0 < int(text) <= MAX_ITERATIONS


def _salted(algorithm: str, rest: str) -> Digest:
    """Convert a hash of salt and password together. Without a salt, Logto has a kind of its own for it."""
    salt, _, value = rest.partition("$")
    is_hash = (
        re.fullmatch(r"[0-9a-f]+", value) is not None
        and len(value) == 2 * hashlib.new(algorithm, usedforsecurity=False).digest_size
    )
    if not is_hash or salt == "@":
        raise UnsupportedHash(MALFORMED)
    return _legacy(algorithm, [salt, "@"], value) if salt else Digest(algorithm.upper(), value)


def _legacy(function: str, arguments: list[str], value: str) -> Digest:
    """Return Logto's expression: a function, its arguments with "@" for the password, and the expected result."""
    return Digest("Legacy", json.dumps([function, arguments, value]))


def _argon2(rest: str) -> Digest:
    """Logto does not check the form: it accepts a malformed digest, and answers 500 when the user signs in."""
    algorithm = ARGON2_ALGORITHMS.get(rest.partition("$")[0])
    if algorithm is None:
        raise UnsupportedHash("Logto does not support this kind of Argon2")
    match = _ARGON2.fullmatch(rest)
    parameters = dict(each.split("=") for each in match["parameters"].split(",")) if match else {}
    if match is None or parameters.keys() != {"m", "t", "p"} or not _are_costs(**parameters):
        raise UnsupportedHash(MALFORMED)
    if _decoded_length(match["salt"]) < 8 or _decoded_length(match["hash"]) < 4:
        raise UnsupportedHash(MALFORMED)
    return Digest(algorithm, f"${rest}")


def _are_costs(m: str, t: str, p: str) -> bool:
    """Return whether memory, time and parallelism are in the limits of RFC 9106, section 3.1."""
    memory, passes, lanes = int(m), int(t), int(p)
    return 1 <= lanes < 2**24 and 8 * lanes <= memory < 2**32 and 1 <= passes < 2**32


def _decoded_length(text: str) -> int:
    """Return the number of bytes of base64 without padding; 0 if it is not valid."""
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except binascii.Error:
        return 0


def _bcrypt(rest: str) -> Digest:
    if not _BCRYPT.fullmatch(rest):
        raise UnsupportedHash(MALFORMED)
    return Digest("Bcrypt", rest)


_UNSALTED_MD5 = re.compile(r"[0-9a-f]{32}")
_ARGON2 = re.compile(
    r"argon2(?:id|i|d)\$v=19\$(?P<parameters>[mtp]=[0-9]{1,10},[mtp]=[0-9]{1,10},[mtp]=[0-9]{1,10})"
    r"\$(?P<salt>[A-Za-z0-9+/]+)\$(?P<hash>[A-Za-z0-9+/]+)"
)
_BCRYPT = re.compile(r"\$2[aby]\$(?:0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
# Django has removed its hashers of unsalted MD5 and of SHA-1 without iterations. Old accounts may have such hashes.
_CONVERTERS: dict[str, Callable[[str], Digest]] = {
    "pbkdf2_sha256": partial(_pbkdf2, "sha256"),
    "pbkdf2_sha1": partial(_pbkdf2, "sha1"),
    "argon2": _argon2,
    "bcrypt": _bcrypt,
    "md5": partial(_salted, "md5"),
    "sha1": partial(_salted, "sha1"),
}
# The kinds of hashes that can be imported, by Django's names.
IMPORTED_ALGORITHMS = frozenset(_CONVERTERS)

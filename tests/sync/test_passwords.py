"""Hashes of Django's hashers in the formats that Logto accepts."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    MD5PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
    make_password,
)
from hypothesis import given
from hypothesis import strategies as st

from logto_auth.emulator import PasswordDigest
from logto_auth.sync.passwords import UnsupportedHash, digest_of

PASSWORD = "正しい馬 battery $staple"


def fits(encoded: str, password: str) -> bool:
    """Return whether Logto accepts the password for this digest."""
    digest = digest_of(encoded)
    return PasswordDigest(digest.algorithm, digest.value).fits(password)


@pytest.mark.parametrize("hasher", [PBKDF2PasswordHasher(), PBKDF2SHA1PasswordHasher()])
def test_pbkdf2_hash_is_converted(hasher: PBKDF2PasswordHasher) -> None:
    encoded = hasher.encode(PASSWORD, hasher.salt(), iterations=1000)
    assert digest_of(encoded).algorithm == "Legacy"
    assert fits(encoded, PASSWORD)
    assert not fits(encoded, PASSWORD + " ")


def test_expression_equals_the_one_real_logto_accepted() -> None:
    encoded = PBKDF2PasswordHasher().encode("secret", "seasalt", iterations=10)
    function, arguments, key = json.loads(digest_of(encoded).value)
    assert (function, arguments) == ("pbkdf2", ["seasalt", "10", "32", "sha256", "@"])
    assert bytes.fromhex(key).hex() == key
    assert len(key) == 64


def test_argon2_hash_is_converted() -> None:
    pytest.importorskip("argon2")
    encoded = Argon2PasswordHasher().encode(PASSWORD, "somesaltsomesalt")
    digest = digest_of(encoded)
    assert (digest.algorithm, digest.value[:15]) == ("Argon2id", "$argon2id$v=19$")
    assert fits(encoded, PASSWORD)


def test_bcrypt_is_converted_and_bcrypt_sha256_is_not() -> None:
    bcrypt = pytest.importorskip("bcrypt")
    hasher = BCryptPasswordHasher()
    hasher.rounds = 4
    digest = digest_of(hasher.encode("secret", hasher.salt()))
    assert digest.algorithm == "Bcrypt"
    assert bcrypt.checkpw(b"secret", digest.value.encode())
    sha256 = BCryptSHA256PasswordHasher()
    sha256.rounds = 4
    with pytest.raises(UnsupportedHash, match="bcrypt_sha256"):
        digest_of(sha256.encode("secret", sha256.salt()))


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        # Its text is random, so the test id is named.
        pytest.param(make_password(None), "no usable password", id="unusable"),
        ("", "no usable password"),
        ("no dollar", "no usable password"),
        (ScryptPasswordHasher().encode("secret", "seasalt", n=2**4), "scrypt"),
        (MD5PasswordHasher().encode("secret", "seasalt"), "md5"),
        ("argon2$argon2x$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", "kind of Argon2"),
        ("pbkdf2_sha256$1000$seasalt$bm90IDMyIGJ5dGVz", "malformed"),
        ("pbkdf2_sha256$1000$seasalt$!", "malformed"),
        ("pbkdf2_sha256$many$seasalt$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$1000$seasalt", "malformed"),
        # Logto would replace this salt by the password.
        ("pbkdf2_sha256$1000$@$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$1000$" + "s" * 200 + "$" + "A" * 43 + "=", "longer than the 256 characters"),
    ],
)
def test_unsupported_hash_error_contains_no_hash(encoded: str, reason: str) -> None:
    with pytest.raises(UnsupportedHash, match=reason) as raised:
        digest_of(encoded)
    assert not encoded or encoded.split("$")[-1] not in str(raised.value)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(codec="ascii", exclude_characters="$@"), min_size=1, max_size=20),
)
def test_any_password_and_salt_are_converted(password: str, salt: str) -> None:
    assert fits(PBKDF2PasswordHasher().encode(password, salt, iterations=1), password)


def test_digest_is_not_in_repr() -> None:
    digest = digest_of(PBKDF2PasswordHasher().encode("secret", "seasalt", iterations=1))
    assert "seasalt" not in repr(digest)

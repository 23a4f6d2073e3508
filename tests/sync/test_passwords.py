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


def test_salted_md5_equals_the_one_real_logto_accepted() -> None:
    # Logto 1.42 signed the user in with this digest and this password.
    encoded = MD5PasswordHasher().encode("Imp0rt!ed-pass", "NaCl1234")
    digest = digest_of(encoded)
    assert digest.algorithm == "Legacy"
    assert digest.value == '["md5", ["NaCl1234", "@"], "363a2fe43f171c1452dedc0438d1c2ca"]'
    assert fits(encoded, "Imp0rt!ed-pass")
    assert not fits(encoded, "imp0rt!ed-pass")


@pytest.mark.parametrize(
    ("encoded", "algorithm"),
    [
        ("f31709a7b5cdaabaf02d7d1f8966a13c", "MD5"),
        ("md5$$f31709a7b5cdaabaf02d7d1f8966a13c", "MD5"),
        ("sha1$$33e41abebfeae523921d0c289df0c41d7f2f118d", "SHA1"),
        ("sha1$NaCl1234$c15fdd9c322fdbca01aca604877523bf549b91e1", "Legacy"),
    ],
    ids=["unsalted-md5", "empty-salt-md5", "unsalted-sha1", "salted-sha1"],
)
def test_hash_of_removed_hasher_is_converted(encoded: str, algorithm: str) -> None:
    assert digest_of(encoded).algorithm == algorithm
    assert fits(encoded, "Imp0rt!ed-pass")


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
        ("md5$@$" + "0" * 32, "malformed"),
        ("md5$salt$" + "A" * 32, "malformed"),
        ("md5$salt$" + "a" * 31, "malformed"),
        ("md5$" + "s" * 250 + "$" + "a" * 32, "longer than the 256 characters"),
        ("md5$zß'\"\\$" + "a" * 31 + "g", "malformed"),
        ("sha1$salt$" + "a" * 32, "malformed"),
        ("bcrypt$$2b$12$tooshort", "malformed"),
        ("bcrypt$$2x$12$" + "a" * 53, "malformed"),
        ("argon2$argon2x$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", "kind of Argon2"),
        # Logto accepts these, and the sign-in of the user is a server error.
        ("argon2$argon2id$v=19$m=1024", "malformed"),
        ("argon2$argon2id$v=16$m=1024,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$m=1024,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=1024,t=2,t=2$c2FsdHNhbHQ$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=8,t=2,p=2$c2FsdHNhbHQ$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=1024,t=0,p=2$c2FsdHNhbHQ$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=1024,t=2,p=2$c2FsdA$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=1024,t=2,p=2$c2FsdHNhbHQ=$aGFzaGhhc2g", "malformed"),
        ("argon2$argon2id$v=19$m=1024,t=2,p=2$c2FsdHNhbHQ$aGFza2hhc2hxx", "malformed"),
        ("pbkdf2_sha256$1000$seasalt$bm90IDMyIGJ5dGVz", "malformed"),
        ("pbkdf2_sha256$1000$seasalt$!", "malformed"),
        ("pbkdf2_sha256$many$seasalt$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$1000$seasalt", "malformed"),
        # Logto would replace this salt by the password.
        ("pbkdf2_sha256$1000$@$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$0$seasalt$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$2147483648$seasalt$" + "A" * 43 + "=", "malformed"),
        ("pbkdf2_sha256$1000$hex:00ff10$" + "A" * 43 + "=", "salt begins with 'hex:'"),
        ("pbkdf2_sha1$1000$hex:zz$" + "A" * 27 + "=", "salt begins with 'hex:'"),
        ("pbkdf2_sha256$1000$" + "s" * 200 + "$" + "A" * 43 + "=", "longer than the 256 characters"),
    ],
)
def test_unsupported_hash_error_contains_no_hash(encoded: str, reason: str) -> None:
    with pytest.raises(UnsupportedHash, match=reason) as raised:
        digest_of(encoded)
    assert not encoded or encoded.split("$")[-1] not in str(raised.value)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(codec="ascii", exclude_characters="$"), min_size=1, max_size=20).filter(
        lambda salt: salt != "@" and not salt.startswith("hex:")
    ),
)
def test_any_password_and_salt_are_converted(password: str, salt: str) -> None:
    assert fits(PBKDF2PasswordHasher().encode(password, salt, iterations=1), password)


def test_digest_is_not_in_repr() -> None:
    digest = digest_of(PBKDF2PasswordHasher().encode("secret", "seasalt", iterations=1))
    assert "seasalt" not in repr(digest)

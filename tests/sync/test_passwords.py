"""Hashes as Django's own hashers make them, in the forms that Logto takes."""

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
from logto_auth.sync.passwords import DoesNotFit, digest_of

PASSWORD = "正しい馬 battery $staple"


def fits(encoded: str, password: str) -> bool:
    """Whether Logto, given the digest, lets in whoever has the password."""
    digest = digest_of(encoded)
    return PasswordDigest(digest.algorithm, digest.value).fits(password)


@pytest.mark.parametrize("hasher", [PBKDF2PasswordHasher(), PBKDF2SHA1PasswordHasher()])
def test_pbkdf2_goes_along(hasher: PBKDF2PasswordHasher) -> None:
    encoded = hasher.encode(PASSWORD, hasher.salt(), iterations=1000)
    assert digest_of(encoded).algorithm == "Legacy"
    assert fits(encoded, PASSWORD)
    assert not fits(encoded, PASSWORD + " ")


def test_the_expression_is_the_one_that_a_real_logto_took() -> None:
    encoded = PBKDF2PasswordHasher().encode("secret", "seasalt", iterations=10)
    function, arguments, key = json.loads(digest_of(encoded).value)
    assert (function, arguments) == ("pbkdf2", ["seasalt", "10", "32", "sha256", "@"])
    assert bytes.fromhex(key).hex() == key
    assert len(key) == 64


def test_argon2_goes_along() -> None:
    pytest.importorskip("argon2")
    encoded = Argon2PasswordHasher().encode(PASSWORD, "somesaltsomesalt")
    digest = digest_of(encoded)
    assert (digest.algorithm, digest.value[:15]) == ("Argon2id", "$argon2id$v=19$")
    assert fits(encoded, PASSWORD)


def test_bcrypt_goes_along_and_its_sha256_kind_does_not() -> None:
    bcrypt = pytest.importorskip("bcrypt")
    hasher = BCryptPasswordHasher()
    hasher.rounds = 4
    digest = digest_of(hasher.encode("secret", hasher.salt()))
    assert digest.algorithm == "Bcrypt"
    assert bcrypt.checkpw(b"secret", digest.value.encode())
    sha256 = BCryptSHA256PasswordHasher()
    sha256.rounds = 4
    with pytest.raises(DoesNotFit, match="bcrypt_sha256"):
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
        ("pbkdf2_sha256$1000$seasalt$bm90IDMyIGJ5dGVz", "damaged"),
        ("pbkdf2_sha256$1000$seasalt$!", "damaged"),
        ("pbkdf2_sha256$many$seasalt$" + "A" * 43 + "=", "damaged"),
        ("pbkdf2_sha256$1000$seasalt", "damaged"),
        # Logto would put the password in the place of this salt.
        ("pbkdf2_sha256$1000$@$" + "A" * 43 + "=", "damaged"),
        ("pbkdf2_sha256$1000$" + "s" * 200 + "$" + "A" * 43 + "=", "longer than the 256 characters"),
    ],
)
def test_what_does_not_fit_says_why_and_nothing_of_the_hash(encoded: str, reason: str) -> None:
    with pytest.raises(DoesNotFit, match=reason) as raised:
        digest_of(encoded)
    assert not encoded or encoded.split("$")[-1] not in str(raised.value)


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(codec="ascii", exclude_characters="$@"), min_size=1, max_size=20),
)
def test_any_password_and_any_salt_go_along(password: str, salt: str) -> None:
    assert fits(PBKDF2PasswordHasher().encode(password, salt, iterations=1), password)


def test_a_digest_keeps_out_of_texts() -> None:
    digest = digest_of(PBKDF2PasswordHasher().encode("secret", "seasalt", iterations=1))
    assert "seasalt" not in repr(digest)

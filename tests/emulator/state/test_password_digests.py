"""Imported password digests. The values and answers were recorded from Logto 1.42."""

from __future__ import annotations

import pytest

from logto_auth.emulator import PasswordDigest

PASSWORD = "Imp0rt!ed-pass"
SHA256 = "bfc9096788693d017af3428553aa53c205a2099562290f199543ab986e246b95"
PBKDF2 = "20f37b0273eb1298a5e954e73a142266d4df0b6066c8c8c56698f2878fcdb200"


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("MD5", "f31709a7b5cdaabaf02d7d1f8966a13c"),
        ("SHA256", SHA256),
        ("Legacy", '["md5", ["NaCl1234", "@"], "363a2fe43f171c1452dedc0438d1c2ca"]'),
        (
            "Legacy",
            '["sha256", ["@", "NaCl1234"], "61775490be34f79c0d9514993d7bdc2697e95284f649b2c8379c6fedcd886ece"]',
        ),
        ("Legacy", f'["pbkdf2", ["NaCl1234", "1000", "32", "sha256", "@"], "{PBKDF2}"]'),
        (
            "Legacy",
            '["pbkdf2", ["hex:00ff10", "1000", "32", "sha256", "@"], '
            '"b1ea3187018cf7154c81a81e3084cee5cc5c523e14fc2e75b263735a520c01de"]',
        ),
    ],
    ids=["md5", "sha256", "salted-md5", "sha256-with-salt-at-the-end", "pbkdf2", "pbkdf2-with-hexadecimal-salt"],
)
def test_recorded_digest_fits_its_password_only(algorithm: str, value: str) -> None:
    digest = PasswordDigest(algorithm, value)
    assert digest.fits(PASSWORD)
    assert not digest.fits(PASSWORD + "x")


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("SHA256", SHA256.upper()),
        ("Legacy", f'["pbkdf2", ["NaCl1234", "1000", "32", "sha256", "@"], "{PBKDF2.upper()}"]'),
        ("Legacy", f'["pbkdf2", ["hex:zz", "1000", "32", "sha256", "@"], "{PBKDF2}"]'),
        ("Legacy", '["no-such-function", ["@"], "00"]'),
    ],
    ids=["upper-case-sha256", "upper-case-pbkdf2", "invalid-hexadecimal-salt", "unknown-function"],
)
def test_digest_that_logto_cannot_compare_fits_no_password(algorithm: str, value: str) -> None:
    assert not PasswordDigest(algorithm, value).fits(PASSWORD)

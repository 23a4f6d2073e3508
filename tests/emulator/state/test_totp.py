from base64 import b32encode

import pytest

from logto_auth.emulator.state.totp import accepts_totp_code, new_totp_secret, totp_code, totp_secret_is_well_formed

# RFC 6238, appendix B: the key is the ASCII text, and the codes are the last six of the eight digits.
RFC_SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_code_is_that_of_the_standard(at, code):
    assert totp_code(RFC_SECRET, at) == code


@pytest.mark.parametrize(
    ("later", "accepted"), [(0, True), (29, True), (59, True), (60, False), (-30, True), (-31, False)]
)
def test_code_is_accepted_one_step_before_and_after(later, accepted):
    code = totp_code(RFC_SECRET, 1_200_000_000)  # the start of a step
    assert accepts_totp_code(RFC_SECRET, code, 1_200_000_000 + later) is accepted


@pytest.mark.parametrize("code", ["", "28708", "0287082", "28708\uff12", "abcdef"])
def test_other_texts_are_not_accepted(code):
    assert not accepts_totp_code(RFC_SECRET, code, 59)


def test_new_secret_has_logtos_format():
    secrets = {new_totp_secret() for _ in range(3)}
    assert len(secrets) == 3
    assert all(len(secret) == 32 and totp_secret_is_well_formed(secret) for secret in secrets)


@pytest.mark.parametrize("secret", ["", "x", "A" * 8, "A" * 40, "a" * 16, "1" * 16, "A" * 17, "A" * 16 + "\n"])
def test_malformed_secret_is_not_accepted(secret):
    assert not totp_secret_is_well_formed(secret)

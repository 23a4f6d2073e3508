import pytest

from logto_auth.emulator.state.factors import (
    Passkey,
    find_backup_codes,
    new_backup_codes,
    unused_totp_code,
    use_backup_code,
    use_totp_code,
    with_backup_codes,
    with_totp,
)
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.totp import new_totp_secret, totp_code

AT = 1_795_883_562.0
TIME = "2026-11-28T16:32:42.750Z"
SECRET = "EBWDOTYYMRTAIT2ENMHR6TINBAYEYQKP"


def with_app(secret=SECRET, code=None):
    return with_totp([], secret, code, at=AT, created_at=TIME)


def passkey():
    return Passkey(rp_id="localhost", credential_id="id", public_key="key", counter=0, agent="Browser")


def test_authenticator_app_may_be_bound_without_a_code():
    [totp] = with_app()
    assert totp.as_json() == {"id": totp.id, "createdAt": TIME, "type": "Totp"}


def test_wrong_code_is_refused():
    with pytest.raises(Refused) as refused:
        with_app(code="000000")
    assert (refused.value.code, refused.value.status) == ("session.mfa.invalid_totp_code", 400)


def test_second_authenticator_app_is_refused():
    with pytest.raises(Refused) as refused:
        with_totp(with_app(), new_totp_secret(), None, at=AT, created_at=TIME)
    assert (refused.value.code, refused.value.status) == ("user.totp_already_in_use", 422)


def test_replacement_needs_the_code_and_keeps_the_place():
    other = new_totp_secret()
    factors = [*with_app(), passkey()]
    with pytest.raises(Refused, match="invalid_totp_code"):
        with_totp(factors, other, "", at=AT, created_at=TIME, replace=True)
    replaced = with_totp(factors, other, totp_code(other, AT), at=AT, created_at=TIME, replace=True)
    assert [each.type for each in replaced] == ["Totp", "WebAuthn"]
    assert replaced[0].id != factors[0].id


def test_backup_codes_have_logtos_format():
    codes = new_backup_codes()
    assert len(set(codes)) == 10
    assert all(len(code) == 10 and set(code) <= set("0123456789abcdef") for code in codes)


@pytest.mark.parametrize("codes", [[], ["a"], ["g" * 10] * 10, ["0123456789"] * 9, ["0123456789\n"] * 10])
def test_malformed_backup_codes_are_refused(codes):
    with pytest.raises(Refused, match="wrong_backup_code_format"):
        with_backup_codes(with_app(), codes, created_at=TIME)


def test_backup_codes_need_another_factor():
    with pytest.raises(Refused, match="backup_code_can_not_be_alone"):
        with_backup_codes([], new_backup_codes(), created_at=TIME)


def test_used_backup_code_does_not_count_and_is_not_accepted_again():
    codes = new_backup_codes()
    factors = with_backup_codes([passkey()], codes, created_at=TIME)
    assert use_backup_code(factors, codes[3], used_at=TIME)
    assert not use_backup_code(factors, codes[3], used_at=TIME)
    assert not use_backup_code(factors, "0000000000x", used_at=TIME)
    assert find_backup_codes(factors).as_json()["remainCodes"] == 9


def test_codes_of_a_set_behind_a_used_up_one_are_not_accepted():
    """Like Logto, which looks at the first set only."""
    codes, later = new_backup_codes(), new_backup_codes()
    factors = with_backup_codes(with_app(), codes, created_at=TIME)
    assert all(use_backup_code(factors, each, used_at=TIME) for each in codes)
    assert not use_backup_code(with_backup_codes(factors, later, created_at=TIME), later[0], used_at=TIME)


@pytest.mark.parametrize(
    ("steps", "accepted"),
    [
        ([0, 0], [True, False]),
        ([0, -1], [True, False]),
        ([-1, 0, 1], [True, True, True]),
        ([1, 0], [True, False]),
        ([2], [False]),
        ([-2], [False]),
    ],
)
def test_each_time_step_of_an_app_is_good_once_and_in_order(steps, accepted):
    factors = with_app()
    codes = [totp_code(SECRET, AT + 30 * each) for each in steps]
    assert [use_totp_code(factors, each, at=AT) for each in codes] == accepted


def test_user_without_an_app_has_no_code():
    assert not use_totp_code([passkey()], totp_code(SECRET, AT), at=AT)


def test_unused_code_is_accepted_as_long_as_there_is_one():
    factors = with_app()
    codes = [unused_totp_code(factors[0], AT)]
    assert use_totp_code(factors, codes[0], at=AT)
    codes.append(unused_totp_code(factors[0], AT))
    assert use_totp_code(factors, codes[1], at=AT)
    assert codes == [totp_code(SECRET, AT), totp_code(SECRET, AT + 30)]
    assert unused_totp_code(factors[0], AT) == ""
    assert unused_totp_code(factors[0], AT + 30) == totp_code(SECRET, AT + 60)


def test_backup_codes_are_bound_again_once_all_are_used():
    codes = new_backup_codes()
    factors = with_backup_codes(with_app(), codes, created_at=TIME)
    with pytest.raises(Refused, match="backup_code_already_in_use"):
        with_backup_codes(factors, new_backup_codes(), created_at=TIME)
    for code in codes:
        use_backup_code(factors, code, used_at=TIME)
    assert len(with_backup_codes(factors, new_backup_codes(), created_at=TIME)) == 3


def test_secrets_are_not_in_reprs():
    codes = new_backup_codes()
    shown = repr(with_backup_codes(with_app(), codes, created_at=TIME))
    assert SECRET not in shown
    assert codes[0] not in shown

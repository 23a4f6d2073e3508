"""The password policy of a declaration: its errors, what a plan changes, and what stays."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import PasswordPolicy, TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.declaration import declaration_errors
from tests.recorded import recording

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no length": ({"min_length": 0}, "min_length of password_policy is 0, expected a whole number of 1 or more."),
    "a length as text": ({"min_length": "8"}, "min_length of password_policy is '8', expected a whole number"),
    "a length as bool": ({"max_length": True}, "max_length of password_policy is True, expected a whole number"),
    "half a character": ({"max_length": 8.5}, "max_length of password_policy is 8.5, expected a whole number"),
    "five types": ({"min_character_types": 5}, "is 5, expected a whole number from 1 to 4."),
    "a word for a switch": ({"reject_pwned": "no"}, "reject_pwned of password_policy is 'no', expected True, False"),
    "a number for a switch": ({"reject_user_info": 0}, "reject_user_info of password_policy is 0, expected True"),
    "a string of words": ({"rejected_words": "shop"}, "is a string, expected a list of words"),
    "an empty word": ({"rejected_words": ["shop", " "]}, "contains an empty word"),
    "no possible length": (
        {"min_length": 20, "max_length": 10},
        "min_length of password_policy is 20, which is more than max_length 10.",
    ),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_policy_is_an_error(case: str) -> None:
    fields, text = INVALID[case]
    (error,) = declaration_errors(declared(**fields))
    assert text in error


def declared(**fields: Any) -> TenantDeclaration:
    return TenantDeclaration(password_policy=PasswordPolicy(**fields))


def stored(logto: Emulator) -> dict[str, Any]:
    policy: dict[str, Any] = logto.tenant.sign_in_experience.settings["passwordPolicy"]
    return policy


# What Logto 1.42 stores for a policy of which only the leak check has been set.
RECORDED = recording("tenant/well_known_sign_in_exp", "1.42")["body"]["passwordPolicy"]
ALL = {
    "min_length": 10,
    "max_length": 100,
    "min_character_types": 2,
    "reject_pwned": False,
    "reject_repetition_and_sequence": False,
    "reject_user_info": False,
    "rejected_words": ["bookstore"],
}


def test_declared_policy_is_applied_once(api: ManagementAPI, fresh: Emulator) -> None:
    (step,) = make_plan(api, declared(**ALL)).changes
    assert (step.action, str(step)) == ("change", "password policy of all applications of the tenant")
    # What a tenant has not set has Logto's default.
    assert {each.name: (each.before, each.after) for each in step.differences} == {
        "minimum length": (8, 10),
        "maximum length": (256, 100),
        "minimum character types": (1, 2),
        "rejects leaked passwords": (True, False),
        "rejects repetitions and sequences": (True, False),
        "rejects user information": (True, False),
        "rejected words": ([], ["bookstore"]),
    }
    before = fresh.tenant.sign_in_experience.settings.copy()
    apply_plan(make_plan(api, declared(**ALL)))
    policy = {
        "length": {"min": 10, "max": 100},
        "characterTypes": {"min": 2},
        "rejects": {"pwned": False, "repetitionAndSequence": False, "userInfo": False, "words": ["bookstore"]},
    }
    assert fresh.tenant.sign_in_experience.settings == {**before, "passwordPolicy": policy}
    assert make_plan(api, declared(**ALL)).changes == []


def test_default_of_logto_is_no_difference(api: ManagementAPI, fresh: Emulator) -> None:
    assert make_plan(api, declared(min_length=8, min_character_types=1, reject_pwned=True)).changes == []


def test_undeclared_parts_of_policy_stay(api: ManagementAPI, fresh: Emulator) -> None:
    rejects = {**RECORDED["rejects"], "userInfo": False, "words": ["tenant"]}
    fresh.tenant.sign_in_experience.settings["passwordPolicy"] = {"length": {"min": 6, "max": 64}, "rejects": rejects}
    apply_plan(make_plan(api, declared(min_length=12, rejected_words=["shop"])))
    assert stored(fresh) == {
        "length": {"min": 12, "max": 64},
        "characterTypes": {"min": 1},
        "rejects": {**rejects, "words": ["tenant", "shop"]},
    }


def test_policy_set_after_planning_stays(api: ManagementAPI, fresh: Emulator) -> None:
    plan = make_plan(api, declared(min_length=12))
    fresh.tenant.sign_in_experience.settings["passwordPolicy"] = RECORDED
    apply_plan(plan)
    assert stored(fresh)["rejects"] == RECORDED["rejects"]
    assert stored(fresh)["length"] == {"min": 12, "max": 256}


def test_length_that_fits_no_password_is_an_error(api: ManagementAPI, fresh: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="at least 300 characters and allow at most 256"):
        make_plan(api, declared(min_length=300))
    fresh.tenant.sign_in_experience.settings["passwordPolicy"] = {"length": {"min": 20, "max": 10}}
    # Not declared: the plan leaves it alone.
    assert [step.action for step in make_plan(api, declared(reject_pwned=True)).steps] == ["nothing"]

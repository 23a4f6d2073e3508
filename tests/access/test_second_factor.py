"""The requirement of a second factor: the rule, and the URL of the page that asks for one."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import include, path

from logto_auth.access import MissingRequirement, Requirement, RequirementKind, SecondFactor
from logto_auth.access.second_factor import second_factor_from_query, second_factor_url
from logto_auth.exceptions import ConfigurationError, InvalidSignInOption
from logto_auth.oidc.authentication_methods import SECOND_FACTORS

NOW = 1_800_000_000

urlpatterns = [path("", include("logto_auth.urls"))]


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(time, "time", lambda: float(NOW))
    settings.LOGTO_CLOCK_SKEW_SECONDS = 10
    settings.LOGTO_SECOND_FACTOR = True


def principal(*methods: str, at: int | None = None, **attributes: Any) -> Any:
    rest = {"is_machine": False, "roles": (), **attributes}
    return SimpleNamespace(authentication_methods=methods, authentication_methods_at=at, **rest)


# The rule


@pytest.mark.parametrize("method", SECOND_FACTORS)
def test_each_second_factor_counts(method: str) -> None:
    assert SecondFactor().is_met_by(principal("Password", method))


@pytest.mark.parametrize(
    "methods", [(), ("Password",), ("EmailVerificationCode",), ("Social",), ("EnterpriseSso",), ("totp",)]
)
def test_other_methods_do_not_count(methods: tuple[str, ...]) -> None:
    assert not SecondFactor().is_met_by(principal(*methods))


def test_only_required_methods_count() -> None:
    required = SecondFactor(methods=("WebAuthn", "SignInPasskey"))
    assert not required.is_met_by(principal("Password", "Totp"))
    assert required.is_met_by(principal("SignInPasskey"))


@pytest.mark.parametrize(
    ("at", "is_met"),
    [
        (NOW, True),
        (NOW - 300, True),
        (NOW - 310, True),
        (NOW - 311, False),
        (NOW + 10, True),
        (NOW + 11, False),
        (0, False),
        (None, False),
    ],
)
def test_max_age_allows_for_the_clock_skew_only(at: int | None, is_met: bool) -> None:
    assert SecondFactor(max_age=300).is_met_by(principal("Totp", at=at)) is is_met


def test_recent_sign_in_without_second_factor_is_not_enough() -> None:
    assert not SecondFactor(max_age=300).is_met_by(principal("Password", at=NOW))


def test_machine_never_meets_it() -> None:
    assert not SecondFactor().is_met_by(principal("Totp", is_machine=True))


@pytest.mark.parametrize("methods", [(), ("Password",), ("Totp", "totp"), ("EnterpriseSso",)])
def test_methods_that_are_no_second_factor_are_refused(methods: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"SecondFactor: methods is .*, expected some of \('Totp'"):
        SecondFactor(methods=methods)


@pytest.mark.parametrize("max_age", [-1, True, 1.5, "300"])
def test_invalid_max_age_is_refused(max_age: Any) -> None:
    with pytest.raises(ValueError, match="expected a number of seconds or None"):
        SecondFactor(max_age=max_age)


def test_string_of_methods_is_refused() -> None:
    with pytest.raises(TypeError, match="methods is a string"):
        SecondFactor(methods="Totp")  # type: ignore[arg-type]


# In a requirement


@pytest.mark.parametrize(
    ("part", "second_factor"),
    [
        (True, SecondFactor()),
        (False, None),
        (None, None),
        ("Totp", SecondFactor(methods=("Totp",))),
        (["Totp", "WebAuthn"], SecondFactor(methods=("Totp", "WebAuthn"))),
        (SecondFactor(max_age=60), SecondFactor(max_age=60)),
    ],
)
def test_second_factor_of_a_requirement_may_be_given_in_short(part: Any, second_factor: Any) -> None:
    assert Requirement.of(second_factor=part).second_factor == second_factor


@pytest.mark.parametrize("part", [True, False, ("Totp",), "Totp"])
def test_requirement_itself_accepts_only_a_second_factor(part: Any) -> None:
    with pytest.raises(TypeError, match=r"Expected a SecondFactor or None, or use Requirement\.of"):
        Requirement(second_factor=part)


def test_empty_names_of_second_factors_are_refused() -> None:
    with pytest.raises(ValueError, match="methods is"):
        Requirement.of(second_factor=[])


def test_second_factor_is_reported_last() -> None:
    requirement = Requirement.of(roles="editor", second_factor="Totp")
    lacks_all, lacks_factor = principal(), principal(roles=("editor",))
    assert requirement.missing_from(lacks_all) == MissingRequirement(RequirementKind.ROLE, ("editor",))
    assert requirement.missing_from(lacks_factor) == MissingRequirement(RequirementKind.SECOND_FACTOR, ("Totp",))
    assert requirement.missing_from(principal("Totp", roles=("editor",))) is None


@pytest.mark.parametrize("names", [("Totp",), SECOND_FACTORS])
def test_missing_second_factor_is_a_sentence_for_users(names: tuple[str, ...]) -> None:
    missing = MissingRequirement(RequirementKind.SECOND_FACTOR, names)
    assert str(missing) == "You need to sign in again with a second factor."


# The URL


@pytest.mark.urls(__name__)
@pytest.mark.parametrize(
    "second_factor",
    [SecondFactor(), SecondFactor(max_age=0), SecondFactor(methods=("Totp", "WebAuthn"), max_age=300)],
    ids=["any", "now", "some"],
)
def test_url_says_which_second_factor_is_required(second_factor: SecondFactor) -> None:
    url, _, query = second_factor_url("/payment/?id=1", second_factor).partition("?")
    assert url == "/second-factor"
    assert QueryDict(query)["next"] == "/payment/?id=1"
    assert second_factor_from_query(QueryDict(query)) == second_factor


@pytest.mark.urls("logto_auth.api_urls")
def test_site_without_the_page_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"Add path\(.*include\('logto_auth\.urls'\)\)"):
        second_factor_url("/payment/", SecondFactor())


@pytest.mark.parametrize(
    "query", ["max_age=-1", "max_age=soon", "max_age=²", "max_age=9999999999", "methods=Password", "methods=Totp+x"]
)
def test_query_from_outside_is_checked(query: str) -> None:
    with pytest.raises(InvalidSignInOption):
        second_factor_from_query(QueryDict(query))

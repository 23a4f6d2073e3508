"""A setting has a value at each use, a type and a name."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from logto_auth.conf import Conf, Setting, api_resource, conf
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.testing import Browser


def test_setting_has_the_value_of_the_site() -> None:
    with override_settings(LOGTO_CLOCK_SKEW_SECONDS=5):
        assert conf.clock_skew_seconds == Conf.clock_skew_seconds.site_value == 5


def test_missing_setting_has_its_default() -> None:
    assert conf.clock_skew_seconds == Conf.clock_skew_seconds.site_value == 60


def test_settings_are_named_after_their_attributes() -> None:
    assert Conf.m2m_app_id.name == "LOGTO_M2M_APP_ID"
    assert {setting.name for setting in conf.all()} >= {"LOGTO_ENDPOINT", "LOGTO_TENANT"}


WRONG = [
    ("LOGTO_APP_ID", None, "LOGTO_APP_ID is None. Expected a string."),
    (
        "LOGTO_CLOCK_SKEW_SECONDS",
        "60",
        "LOGTO_CLOCK_SKEW_SECONDS is of type str. Expected a whole number, such as 60.",
    ),
    (
        "LOGTO_CLOCK_SKEW_SECONDS",
        True,
        "LOGTO_CLOCK_SKEW_SECONDS is of type bool. Expected a whole number, such as 60.",
    ),
    ("LOGTO_CREATE_USERS", 1, "LOGTO_CREATE_USERS is of type int. Expected True or False."),
    (
        "LOGTO_STAFF_ROLES",
        "admin",
        'LOGTO_STAFF_ROLES is of type str. Expected a list of strings, such as ["admin"].',
    ),
    (
        "LOGTO_STAFF_ROLES",
        ["admin", None],
        'LOGTO_STAFF_ROLES is a list, but not of strings. Expected a list of strings, such as ["admin"].',
    ),
    (
        "LOGTO_GROUPS_BY_ROLE",
        {"clerk": ["Clerks"]},
        "LOGTO_GROUPS_BY_ROLE is a dict, but not of strings to strings. "
        'Expected a dictionary of strings to strings, such as {"clerk": "Clerks"}.',
    ),
    (
        "LOGTO_API_RESOURCES",
        {"https://shop.example/mcp": "mcp:tools"},
        "LOGTO_API_RESOURCES is a dict, but not of strings to lists of strings. Expected a dictionary of strings to "
        'lists of strings, such as {"https://shop.example/mcp": ["mcp:tools"]}.',
    ),
    (
        "LOGTO_FRESHNESS_SECONDS",
        1.5,
        "LOGTO_FRESHNESS_SECONDS is of type float. Expected a whole number or None, such as 600.",
    ),
    (
        "LOGTO_WEBHOOK_SIGNING_KEY",
        b"hush",
        "LOGTO_WEBHOOK_SIGNING_KEY is of type bytes. Expected a string or a list of strings.",
    ),
    (
        "LOGTO_HTTP_TIMEOUT_SECONDS",
        (5,),
        "LOGTO_HTTP_TIMEOUT_SECONDS is a tuple, but not of two numbers. "
        "Expected a list of two numbers, such as [3.05, 10].",
    ),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG, ids=[f"{name}={value}" for name, value, _ in WRONG])
def test_wrong_type_is_refused_when_used(name: str, value: object, message: str) -> None:
    attribute = name.removeprefix("LOGTO_").lower()
    with override_settings(**{name: value}):
        for _ in range(2):
            with pytest.raises(ConfigurationError) as caught:
                getattr(conf, attribute)
            assert str(caught.value) == message
    assert getattr(conf, attribute) == getattr(Conf, attribute).site_value


@pytest.mark.parametrize("setting", list(conf.all()), ids=lambda setting: setting.name)
def test_no_setting_accepts_an_object_of_another_type(setting: Setting[Any]) -> None:
    with override_settings(**{setting.name: object()}), pytest.raises(ConfigurationError, match=setting.name):
        conf.value_of(setting)


@pytest.mark.parametrize("setting", list(conf.all()), ids=lambda setting: setting.name)
def test_default_and_example_have_the_right_type(setting: Setting[Any]) -> None:
    assert setting.is_right_type(setting.default)
    assert setting.is_right_type(setting.example)


@pytest.mark.parametrize(
    "value", [["openid"], ("openid",), {"openid"}, frozenset({"openid"})], ids=lambda value: type(value).__name__
)
def test_every_kind_of_collection_is_accepted(value: Any) -> None:
    with override_settings(LOGTO_SCOPES=value):
        assert conf.scopes is value


@pytest.mark.django_db
def test_string_of_staff_roles_makes_nobody_staff(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES = "admin"
    logto.tenant.add_role("a")
    logto.tenant.add_user(username="mallory", roles=["a"])
    with pytest.raises(ConfigurationError, match="LOGTO_STAFF_ROLES"):
        browser.sign_in("mallory")
    assert not get_user_model().objects.filter(is_staff=True).exists()


def test_issuer_is_the_endpoint_with_oidc() -> None:
    with override_settings(LOGTO_ENDPOINT="https://abc123.logto.app/"):
        assert conf.issuer == "https://abc123.logto.app/oidc"


def test_missing_api_resource_is_a_configuration_error() -> None:
    with override_settings(LOGTO_API_RESOURCE=""), pytest.raises(ConfigurationError, match="LOGTO_API_RESOURCE"):
        api_resource()

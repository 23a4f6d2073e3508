"""A setting has a value at each use, a type and a name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from logto_auth.conf import Conf, Setting, api_resource, conf
from logto_auth.exceptions import ConfigurationError


def test_setting_has_the_value_of_the_site() -> None:
    with override_settings(LOGTO_CLOCK_SKEW_SECONDS=5):
        assert conf.clock_skew_seconds == Conf.clock_skew_seconds.value == 5


def test_missing_setting_has_its_default() -> None:
    assert conf.clock_skew_seconds == Conf.clock_skew_seconds.value == 60


def test_settings_are_named_after_their_attributes() -> None:
    assert Conf.m2m_app_id.name == "LOGTO_M2M_APP_ID"
    assert {setting.name for setting in conf.all()} >= {"LOGTO_ENDPOINT", "LOGTO_TENANT"}


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        (Conf.app_id, "abc", True),
        (Conf.app_id, None, False),
        (Conf.clock_skew_seconds, 5, True),
        (Conf.clock_skew_seconds, True, False),
        (Conf.create_users, True, True),
        (Conf.create_users, 1, False),
        (Conf.freshness_seconds, None, True),
        (Conf.scopes, {"openid"}, True),
        (Conf.scopes, "openid", False),
    ],
    ids=lambda value: value.name if isinstance(value, Setting) else repr(value),
)
def test_type_of_the_value_is_checked(setting: Setting[Any], value: object, expected: bool) -> None:
    with override_settings(**{setting.name: value}):
        assert setting.has_right_type is expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (Conf.app_id, "str"),
        (Conf.freshness_seconds, "int or None"),
        (Conf.webhook_signing_key, "str, list or tuple of str"),
        (Conf.groups_by_role, "dict of str to str"),
    ],
    ids=lambda value: value.name if isinstance(value, Setting) else value,
)
def test_expected_types_are_readable(setting: Setting[Any], expected: str) -> None:
    assert setting.expected == expected


def test_issuer_is_the_endpoint_with_oidc() -> None:
    with override_settings(LOGTO_ENDPOINT="https://abc123.logto.app/"):
        assert conf.issuer == "https://abc123.logto.app/oidc"


def test_missing_api_resource_is_a_configuration_error() -> None:
    with override_settings(LOGTO_API_RESOURCE=""), pytest.raises(ConfigurationError, match="LOGTO_API_RESOURCE"):
        api_resource()

"""Errors are also errors of Django or Python, so that Django answers an uncaught one with the right status."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation

from logto_auth import exceptions


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("AuthorizationHeaderError", SuspiciousOperation),
        ("CallbackError", SuspiciousOperation),
        ("ConfigurationError", ImproperlyConfigured),
        ("ConnectorError", ValueError),
        ("InvalidSignInOption", ValueError),
        ("OrganizationRequired", PermissionDenied),
        ("SignInRefused", PermissionDenied),
        ("TokenError", SuspiciousOperation),
    ],
)
def test_error_extends_a_class_of_django_or_python(name: str, base: type) -> None:
    assert issubclass(getattr(exceptions, name), base)


def test_configuration_error_is_not_a_logto_error() -> None:
    assert not issubclass(exceptions.ConfigurationError, exceptions.LogtoError)

"""Errors are also errors of Django or Python, so that Django answers an uncaught one with the right status."""

from __future__ import annotations

import copy
import inspect
import pickle
from collections.abc import Callable
from importlib import import_module
from typing import Any

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


def all_errors() -> list[type[exceptions.LogtoError]]:
    """Return the classes of errors, also the private ones."""
    import_module("logto_auth.organizations.console.errors")
    import_module("logto_auth.sessions.refresh")
    found: list[type[exceptions.LogtoError]] = [exceptions.LogtoError]
    for error in found:
        found += [each for each in error.__subclasses__() if each not in found]
    return found


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: f"{error.__module__}.{error.__name__}")
@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_error_can_be_copied_and_pickled(error: type[exceptions.LogtoError], again: Callable[[Any], Any]) -> None:
    names = inspect.signature(error.__init__).parameters
    values = {"code": "a_code", "status": 418, "claim": "iss", "error": "e", "retry_after_seconds": 7, "data": [1]}
    values |= {"invitation_id": "i", "field": "name", "visitor_message": "Text.", "done": ["One step."]}
    original = error("A text.", **{name: value for name, value in values.items() if name in names})
    restored = again(original)
    assert type(restored) is error
    assert (str(restored), vars(restored)) == ("A text.", vars(original))

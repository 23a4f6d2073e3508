"""`LogtoBackend` overrides every method of mozilla-django-oidc and Django that could sign a user in.

If a new version of either adds or changes such a method, a test fails.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from logto_auth.backends import LogtoBackend, logto_backend

# Overridden methods of mozilla-django-oidc, with their parameters after `self`.
OVERRIDDEN = {
    "authenticate": ["request", "kwargs"],
    "get_or_create_user": ["access_token", "id_token", "payload"],
    "verify_token": ["token", "kwargs"],
    "get_userinfo": ["access_token", "id_token", "payload"],
    "get_token": ["payload"],
    "filter_users_by_claims": ["claims"],
    "get_user": ["user_id"],
    "get_settings": ["attr", "args"],
}
# Methods that are not overridden. They are called only by the methods above, which are overridden.
LEFT_ALONE = {
    "create_user": ["claims"],
    "update_user": ["user", "claims"],
    "get_username": ["claims"],
    "describe_user_by_claims": ["claims"],
    "verify_claims": ["claims"],
    "store_tokens": ["access_token", "id_token"],
    "get_payload_data": ["token", "key"],
    "retrieve_matching_jwk": ["token"],
    "raise_token_response_error": ["response"],
    "_verify_jws": ["payload", "key"],
}
# Methods of Django that would accept a password or a deactivated account (Django 5.2 and later).
OVERRIDDEN_OF_DJANGO = ["authenticate", "aauthenticate", "get_user", "aget_user"]


def parameters(method: Any) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


def own_methods(owner: type) -> set[str]:
    return {
        name
        for name, value in vars(owner).items()
        if inspect.isroutine(value) and not (name.startswith("__") and name.endswith("__"))
    }


def test_backend_is_subclass_of_both_libraries() -> None:
    assert issubclass(LogtoBackend, OIDCAuthenticationBackend)
    assert issubclass(LogtoBackend, ModelBackend)
    assert isinstance(logto_backend(), OIDCAuthenticationBackend)


@pytest.mark.parametrize(("name", "expected"), OVERRIDDEN.items())
def test_overridden_method_has_expected_parameters(name: str, expected: list[str]) -> None:
    assert parameters(getattr(OIDCAuthenticationBackend, name)) == expected
    assert getattr(LogtoBackend, name) is not getattr(OIDCAuthenticationBackend, name)


@pytest.mark.parametrize(("name", "expected"), OVERRIDDEN.items())
def test_overriding_method_accepts_same_arguments(name: str, expected: list[str]) -> None:
    ours = inspect.signature(getattr(LogtoBackend, name))
    theirs = inspect.signature(getattr(OIDCAuthenticationBackend, name))
    positional = [
        parameter.name
        for parameter in theirs.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    ours.bind(*positional)
    ours.bind(**dict.fromkeys(positional))


def test_mozilla_django_oidc_has_no_unknown_method() -> None:
    assert own_methods(OIDCAuthenticationBackend) == {*OVERRIDDEN, *LEFT_ALONE}
    for name, expected in LEFT_ALONE.items():
        assert parameters(getattr(OIDCAuthenticationBackend, name)) == expected


@pytest.mark.parametrize("name", OVERRIDDEN_OF_DJANGO)
def test_methods_of_django_are_overridden(name: str) -> None:
    assert getattr(LogtoBackend, name) is not getattr(ModelBackend, name)


def test_django_has_no_unknown_authentication_method() -> None:
    methods = {name for owner in (BaseBackend, ModelBackend) for name in own_methods(owner)}
    rights = {name for name in methods if "perm" in name}
    # `user_can_authenticate` is called by `get_user`; the others are about permissions.
    assert methods - rights == {*OVERRIDDEN_OF_DJANGO, "user_can_authenticate"}


def test_parent_constructor_is_not_called() -> None:
    """The `__init__` of the parent class requires settings that our sites do not have."""
    backend = LogtoBackend()
    assert not [name for name in vars(backend) if name.startswith("OIDC_")]
    with pytest.raises(NotImplementedError):
        backend.get_token({})


@pytest.mark.django_db
def test_users_are_not_found_by_email(django_user_model: Any) -> None:
    django_user_model.objects.create_user("local", "reader@example.com")
    claims = {"iss": "https://tenant.logto.app/oidc", "sub": "x", "email": "reader@example.com"}
    assert list(logto_backend().filter_users_by_claims(claims)) == []
    assert list(logto_backend().filter_users_by_claims({"email": "reader@example.com"})) == []


@pytest.mark.parametrize(
    ("name", "setting"),
    [("OIDC_RP_CLIENT_ID", "LOGTO_APP_ID"), ("OIDC_RP_CLIENT_SECRET", "LOGTO_APP_SECRET")],
)
def test_settings_of_mozilla_django_oidc_come_from_conf(settings: Any, name: str, setting: str) -> None:
    assert LogtoBackend.get_settings(name) == getattr(settings, setting)
    assert LogtoBackend.get_settings("OIDC_USE_PKCE") is True
    assert LogtoBackend.get_settings("OIDC_UNKNOWN", "default") == "default"

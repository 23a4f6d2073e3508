"""What `LogtoBackend` overrides in mozilla-django-oidc and Django is still there, and is called as it was.

A new version of either that adds a door, or moves one, fails here and not in production.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from django.contrib.auth.backends import BaseBackend, ModelBackend
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from logto_auth.backends import LogtoBackend, logto_backend

# Method of mozilla-django-oidc, and its parameters after `self`.
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
# What is left as it is: none of these is reached from a method that is not overridden above.
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
# Django's, which would let a password or a disabled account in (5.2 and later).
OVERRIDDEN_OF_DJANGO = ["authenticate", "aauthenticate", "get_user", "aget_user"]


def parameters(method: Any) -> list[str]:
    return [name for name in inspect.signature(method).parameters if name != "self"]


def own_methods(owner: type) -> set[str]:
    return {
        name
        for name, value in vars(owner).items()
        if inspect.isroutine(value) and not (name.startswith("__") and name.endswith("__"))
    }


def test_logto_backend_is_a_backend_of_mozilla_django_oidc_and_of_django() -> None:
    assert issubclass(LogtoBackend, OIDCAuthenticationBackend)
    assert issubclass(LogtoBackend, ModelBackend)
    assert isinstance(logto_backend(), OIDCAuthenticationBackend)


@pytest.mark.parametrize(("name", "expected"), OVERRIDDEN.items())
def test_the_overridden_methods_of_mozilla_django_oidc_exist_and_take_what_they_took(
    name: str, expected: list[str]
) -> None:
    assert parameters(getattr(OIDCAuthenticationBackend, name)) == expected
    assert name in vars(LogtoBackend)


@pytest.mark.parametrize(("name", "expected"), OVERRIDDEN.items())
def test_an_overriding_method_can_be_called_like_the_one_it_overrides(name: str, expected: list[str]) -> None:
    ours = inspect.signature(getattr(LogtoBackend, name))
    theirs = inspect.signature(getattr(OIDCAuthenticationBackend, name))
    positional = [
        parameter.name
        for parameter in theirs.parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    ours.bind(*positional)
    ours.bind(**dict.fromkeys(positional))


def test_mozilla_django_oidc_has_no_door_that_we_have_not_seen() -> None:
    assert own_methods(OIDCAuthenticationBackend) == {*OVERRIDDEN, *LEFT_ALONE}
    for name, expected in LEFT_ALONE.items():
        assert parameters(getattr(OIDCAuthenticationBackend, name)) == expected


@pytest.mark.parametrize("name", OVERRIDDEN_OF_DJANGO)
def test_the_doors_of_django_lead_through_our_own(name: str) -> None:
    assert hasattr(ModelBackend, name)
    assert name in vars(LogtoBackend)


def test_django_has_no_way_to_authenticate_that_we_have_not_seen() -> None:
    doors = {name for owner in (BaseBackend, ModelBackend) for name in own_methods(owner)}
    rights = {name for name in doors if "perm" in name}
    # `user_can_authenticate` is the rule that `get_user` asks; `with_perm` and the rest are about rights.
    assert doors - rights == {*OVERRIDDEN_OF_DJANGO, "user_can_authenticate"}


def test_a_method_that_would_go_to_the_network_on_its_own_is_never_reached() -> None:
    """The parent's `__init__` demands settings that a site of ours does not have: ours must not call it."""
    backend = LogtoBackend()
    assert not [name for name in vars(backend) if name.startswith("OIDC_")]
    with pytest.raises(NotImplementedError):
        backend.get_token({})


@pytest.mark.django_db
def test_users_are_never_looked_up_by_their_address(django_user_model: Any) -> None:
    django_user_model.objects.create_user("local", "reader@example.com")
    claims = {"iss": "https://tenant.logto.app/oidc", "sub": "x", "email": "reader@example.com"}
    assert list(logto_backend().filter_users_by_claims(claims)) == []
    assert list(logto_backend().filter_users_by_claims({"email": "reader@example.com"})) == []


@pytest.mark.parametrize(
    ("name", "setting"),
    [("OIDC_RP_CLIENT_ID", "LOGTO_APP_ID"), ("OIDC_RP_CLIENT_SECRET", "LOGTO_APP_SECRET")],
)
def test_settings_of_mozilla_django_oidc_are_answered_from_ours(settings: Any, name: str, setting: str) -> None:
    assert LogtoBackend.get_settings(name) == getattr(settings, setting)
    assert LogtoBackend.get_settings("OIDC_USE_PKCE") is True
    assert LogtoBackend.get_settings("OIDC_UNKNOWN", "default") == "default"

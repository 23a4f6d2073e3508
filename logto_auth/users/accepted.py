"""Whether the site accepts an account now, by the backend of the site.

Django asks the backend of a session for its user at each request. Wherever this package uses an account without such a
session, it asks the same backend: at a sign-in, at a refresh, for an access token, and before it links an account. So
a rule of the site counts everywhere, whether it is in `get_user()` or `user_can_authenticate()` of a subclass of
`LogtoBackend`, or in the default manager of the user model.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, router
from django.utils.module_loading import import_string

from logto_auth.compiled_query import CompiledQuery
from logto_auth.exceptions import SignInRefused
from logto_auth.transactions import database

__all__ = ["GetUserMixin", "accepted_user", "may_be_joined"]


class GetUserMixin:
    """The method of `LogtoBackend` that decides whether an account is accepted."""

    def get_user(self, user_id: Any) -> AbstractBaseUser | None:
        """Return the active user with this key, else None: Django then ends the session. One query."""
        query = _query(get_user_model())
        if query is None:
            # mozilla-django-oidc does not check whether the account is active; Django does.
            return ModelBackend.get_user(self, user_id)  # type: ignore[arg-type]
        user = query.instance(user_id)
        return user if user is not None and self.user_can_authenticate(user) else None  # type: ignore[attr-defined]


@lru_cache(maxsize=8)
def _query(user_model: type[AbstractBaseUser]) -> CompiledQuery | None:
    """Return the query by primary key; None if the default manager has rules of its own, which only the ORM applies."""
    manager, stock = user_model._default_manager, models.Manager
    is_stock = (
        type(manager).get_queryset is stock.get_queryset
        and type(manager).get is stock.get
        and manager._queryset_class is models.QuerySet
    )
    return CompiledQuery(user_model, user_model._meta.pk.name) if is_stock else None


class _DefaultBackend(GetUserMixin, ModelBackend):  # type: ignore[misc]
    """For a site without `LogtoBackend`, which only accepts access tokens."""


def may_be_joined() -> bool:
    """Return whether a join with the identity reads the account as `get_user()` of the site's backend does.

    It does if the backend does not override `get_user()`, the default manager has no rules of its own, and both rows
    are in one database. `user_can_authenticate()` decides in either case.
    """
    user_model = get_user_model()
    return (
        _site_backend_class().get_user is GetUserMixin.get_user
        and _query(user_model) is not None
        and router.db_for_write(user_model) == database()
    )


def accepted_user(user_id: Any, *, joined: AbstractBaseUser | None = None) -> AbstractBaseUser:
    """Return the account with this key. Raise SignInRefused if the site does not accept it. One query.

    `joined` is the account as a join has just read it, if `may_be_joined()`. Then there is no query.
    """
    backend: Any = _site_backend_class()()
    user: AbstractBaseUser | None = backend.get_user(user_id) if joined is None else joined
    if user is None or (joined is not None and not backend.user_can_authenticate(user)):
        raise SignInRefused(f"The account {user_id} is disabled on this site.", code="account_disabled")
    return user


def _site_backend_class() -> type[GetUserMixin]:
    return _backend_class(tuple(settings.AUTHENTICATION_BACKENDS))


@lru_cache(maxsize=8)
def _backend_class(paths: tuple[str, ...]) -> type[GetUserMixin]:
    classes = map(import_string, paths)
    return next((each for each in classes if issubclass(each, GetUserMixin)), _DefaultBackend)

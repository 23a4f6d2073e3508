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
from django.db import models
from django.utils.module_loading import import_string

from logto_auth.compiled_query import CompiledQuery
from logto_auth.exceptions import SignInRefused

__all__ = ["GetUserMixin", "accepted_user"]


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


def accepted_user(user_id: Any) -> AbstractBaseUser:
    """Return the account with this key. Raise SignInRefused if the site does not accept it. One query."""
    user = _backend_class(tuple(settings.AUTHENTICATION_BACKENDS))().get_user(user_id)
    if user is None:
        raise SignInRefused(f"The account {user_id} is disabled on this site.", code="account_disabled")
    return user


@lru_cache(maxsize=8)
def _backend_class(paths: tuple[str, ...]) -> type[GetUserMixin]:
    classes = map(import_string, paths)
    return next((each for each in classes if issubclass(each, GetUserMixin)), _DefaultBackend)

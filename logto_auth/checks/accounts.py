"""Checks of the user model: where it is stored, and which fields a new account needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage
from django.db import router

from logto_auth.conf import Conf
from logto_auth.users.claims import FIELDS
from logto_auth.users.fields import missing_fields

from .lenient_conf import conf
from .problem import Problem

TABLES_APART = Problem(
    "logto_auth.E033",
    "DATABASE_ROUTERS writes the user model and the tables of this package to different databases: {databases}.",
    "Route them to one database. An account, its identity and what the audit trail says of it change in one "
    "transaction.",
)
FIELD_NOT_FILLED = Problem(
    "logto_auth.W011",
    "New accounts need a value for the field {field} of the user model, and LOGTO_USER_FIELDS is not set.",
    "Set LOGTO_USER_FIELDS to a function that returns one, or give the field a default.",
)


def check_accounts(**kwargs: Any) -> list[CheckMessage]:
    """Check the database and the required fields of the user model."""
    return [*_check_databases(), *_check_fields()]


def _check_databases() -> Iterator[CheckMessage]:
    apps_here = [each for each in apps.get_app_configs() if each.label in ("logto_auth", "logto_audit")]
    models = [get_user_model(), *(model for each in apps_here for model in each.get_models())]
    databases = {model._meta.label: router.db_for_write(model) for model in models}
    if len(set(databases.values())) > 1:
        yield TABLES_APART(databases=", ".join(f"{label} to {alias!r}" for label, alias in databases.items()))


def _check_fields() -> Iterator[CheckMessage]:
    creates_users = conf.create_users or conf.api_create_users
    # What a function of the site returns is not known here.
    if creates_users and conf.user_fields == Conf.user_fields.default:
        user_model = get_user_model()
        filled = {user_model.USERNAME_FIELD, *FIELDS}
        for name in missing_fields(user_model()):
            if name not in filled:
                yield FIELD_NOT_FILLED(field=name)

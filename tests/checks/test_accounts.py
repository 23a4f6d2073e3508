"""Checks of the user model: its database, and the fields that a new account needs."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.db import models

from logto_auth.audit.models import AuditEvent
from logto_auth.models import WebhookMark
from logto_auth.users.fields import missing_fields

from .found import ids, messages


class UsersApart:
    """A router that writes the users to a database of their own."""

    model: type[models.Model] = User

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return "users" if model is self.model else None


class MarksApart(UsersApart):
    model = WebhookMark


class AuditApart(UsersApart):
    model = AuditEvent


@pytest.mark.parametrize("router", [UsersApart, MarksApart, AuditApart])
def test_tables_in_two_databases_are_refused(router: type) -> None:
    (message,) = messages({"DATABASE_ROUTERS": [f"{__name__}.{router.__name__}"]})
    assert message.id == "logto_auth.E033"
    assert f"{router.model._meta.label} to 'users'" in message.msg


class Clerk(AbstractBaseUser):
    """A user model with fields that no claim fills."""

    name = models.CharField(max_length=20, unique=True)
    email = models.EmailField(unique=True)
    badge = models.IntegerField()
    key = models.CharField(max_length=20, unique=True)
    level = models.IntegerField(default=1)
    nickname = models.CharField(max_length=20)
    phone = models.CharField(max_length=20, unique=True, null=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "name"

    class Meta:
        app_label = "tests_checks"


def test_required_fields_are_named(monkeypatch: Any) -> None:
    assert missing_fields(Clerk()) == ["name", "email", "badge", "key"]
    monkeypatch.setattr("logto_auth.checks.accounts.get_user_model", lambda: Clerk)
    found = messages({})
    assert [message.msg.partition(" of ")[0] for message in found] == [
        "New accounts need a value for the field badge",
        "New accounts need a value for the field key",
    ]
    assert ids(found) == "W011"


@pytest.mark.parametrize(
    "settings",
    [{"LOGTO_USER_FIELDS": "tests.custom_user.mapping.member_fields"}, {"LOGTO_CREATE_USERS": False}],
    ids=["own-function", "no-new-accounts"],
)
def test_fields_that_site_may_fill_are_not_reported(settings: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("logto_auth.checks.accounts.get_user_model", lambda: Clerk)
    assert messages(settings) == []

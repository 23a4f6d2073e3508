"""One transaction for the rows of a sign-in, because each commit waits for the disk."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import connections, transaction
from django.db.models.signals import post_save, pre_save

from logto_auth.models import LogtoSession
from logto_auth.transactions import database

__all__ = ["one_commit"]

# The receivers on each site: Django's and ours. None of them ignores an error of the database.
OWN_RECEIVERS = {
    "update_last_login",
    "logto_auth.sessions.ending.begin_unconfirmed_session",
    "logto_auth.sessions.ending.end_sessions_of_inactive_user",
    "logto_auth.sessions.password_form.forget_password_form",
    "logto_auth.users.suspension.forget_deactivation",
}


def one_commit() -> AbstractContextManager[object]:
    """Return a transaction for Django's `login()` and the row of the session.

    There is none if it could break: code of the site may ignore an error of the database, after which a transaction
    cannot go on; and on SQLite a transaction that begins with a read fails if another one writes.
    """
    if connections[database()].vendor == "sqlite" or _runs_code_of_site():
        return nullcontext()
    return transaction.atomic(using=database(), savepoint=False)


def _runs_code_of_site() -> bool:
    """Return whether receivers of the site, or its `save()` of the user model, run during `login()`."""
    user_model = get_user_model()
    # None stands for receivers of all models. Django saves its own session in a transaction anyway.
    saved = {id(model) for model in (user_model, LogtoSession, None)}
    receivers = {name for (name, _sender), *_ in user_logged_in.receivers} | {
        name for signal in (pre_save, post_save) for (name, sender), *_ in signal.receivers if sender in saved
    }
    return bool(receivers - OWN_RECEIVERS) or user_model.save is not AbstractBaseUser.save

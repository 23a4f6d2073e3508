"""The app's configuration: it registers the system checks and connects the signal receivers.

Both are imported when they are first called. They need modules that take long to import, such as `requests` and
`cryptography`, and most `manage.py` commands call none of them. A server imports everything with its middleware.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.admin import apps as admin_apps
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.checks import Tags, register
from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_delete
from django.dispatch import Signal
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from .check_tags import CHECKS, CREDENTIALS

__all__ = ["LogtoAdminConfig", "LogtoAuthConfig"]


class LogtoAuthConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth"."""

    name = "logto_auth"
    verbose_name = _("Sign-in with Logto")
    default_auto_field = "django.db.models.BigAutoField"
    default = True

    def ready(self) -> None:
        """Register the checks and connect the receivers."""
        for name in ("check_settings", "check_accounts", "check_project"):
            register(imported_when_called(f"logto_auth.checks.{name}"), CHECKS)
        register(imported_when_called("logto_auth.checks.check_deployment"), Tags.security, CHECKS, deploy=True)
        register(imported_when_called("logto_auth.checks.check_credentials"), Tags.security, CREDENTIALS, deploy=True)

        connect(user_logged_in, "logto_auth.sessions.ending.begin_unconfirmed_session")
        connect(user_logged_in, "logto_auth.sessions.password_form.forget_password_form")
        connect(user_logged_out, "logto_auth.sessions.ending.end_row_on_logout")
        for model in account_models():
            connect_to_account(model)
        if getattr(settings, "CHANNEL_LAYERS", None):
            self._connect_announcements()

    def _connect_announcements(self) -> None:
        # Other sites do not import the module.
        from .announcements import may_cross_processes

        if may_cross_processes():
            path = "logto_auth.announcements.announce_deleted_session"
            connect(post_delete, path, self.get_model("LogtoSession"))


def account_models() -> Iterator[type[Model]]:
    """Yield the user model, its proxy models, and the models that add columns to it.

    Django sends the signals of each in its own name.
    """
    user_model = get_user_model()
    return (model for model in apps.get_models() if issubclass(model, user_model))


def connect_to_account(model: type[Model]) -> None:
    """Connect the receivers that follow changes of accounts."""
    connect(post_save, "logto_auth.sessions.ending.end_sessions_of_inactive_user", model)
    connect(post_save, "logto_auth.users.suspension.forget_deactivation", model)
    connect(pre_delete, "logto_auth.sessions.ending.end_sessions_of_deleted_user", model)


@cache
def imported_when_called(path: str) -> Callable[..., Any]:
    """Return a function that imports the function at the dotted path when it is called, and calls it."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return import_string(path)(*args, **kwargs)

    call.__name__ = call.__qualname__ = path.rpartition(".")[2]
    return call


def connect(signal: Signal, path: str, sender: type | None = None) -> None:
    """Connect the receiver at the dotted path."""
    signal.connect(imported_when_called(path), sender, weak=False, dispatch_uid=path)


class LogtoAdminConfig(admin_apps.AdminConfig):
    """For `INSTALLED_APPS`, instead of "django.contrib.admin": the admin with sign-in through Logto."""

    default_site = "logto_auth.admin_site.LogtoAdminSite"
    default = False

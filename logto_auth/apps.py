"""The app's configuration: it registers the system checks and connects the signal receivers."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save, pre_delete
from django.utils.translation import gettext_lazy as _

__all__ = ["LogtoAdminConfig", "LogtoAuthConfig"]


class LogtoAuthConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth"."""

    name = "logto_auth"
    verbose_name = _("Sign-in with Logto")
    default_auto_field = "django.db.models.BigAutoField"
    default = True

    def ready(self) -> None:
        """Register the checks and connect the receivers."""
        from django.apps import apps
        from django.contrib.auth import get_user_model

        from . import checks  # noqa: F401  (it needs the models, which are loaded by now)
        from .sessions import ending
        from .users import suspension

        user_model = get_user_model()
        user_logged_in.connect(ending.begin_unconfirmed_session, dispatch_uid="logto_auth.begin_unconfirmed_session")
        user_logged_out.connect(ending.end_row_on_logout, dispatch_uid="logto_auth.end_row_on_logout")
        post_save.connect(
            ending.end_sessions_of_inactive_user, user_model, dispatch_uid="logto_auth.end_sessions_of_inactive_user"
        )
        post_save.connect(suspension.forget_deactivation, user_model, dispatch_uid="logto_auth.forget_deactivation")
        pre_delete.connect(
            ending.end_sessions_of_deleted_user, user_model, dispatch_uid="logto_auth.end_sessions_of_deleted_user"
        )
        if apps.is_installed("drf_spectacular"):
            from .contrib import spectacular  # noqa: F401  (importing it registers the extension)


class LogtoAdminConfig(admin_apps.AdminConfig):
    """For `INSTALLED_APPS`, instead of "django.contrib.admin": the admin with sign-in through Logto."""

    default_site = "logto_auth.admin_site.LogtoAdminSite"
    default = False

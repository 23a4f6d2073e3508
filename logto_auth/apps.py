"""The app's start-up: checks and receivers are connected, nothing else."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_save, pre_delete
from django.utils.translation import gettext_lazy as _


class LogtoAuthConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth"."""

    name = "logto_auth"
    verbose_name = _("Sign-in with Logto")
    default_auto_field = "django.db.models.BigAutoField"
    default = True

    def ready(self) -> None:
        from django.apps import apps
        from django.contrib.auth import get_user_model

        from . import checks  # noqa: F401  (models are not there before)
        from .sessions import store
        from .users import suspension

        user_logged_out.connect(store.forget, dispatch_uid="logto_auth.forget")
        user_model = get_user_model()
        post_save.connect(store.end_sessions_of_disabled, user_model, dispatch_uid="logto_auth.disabled")
        post_save.connect(suspension.forget_deactivation, user_model, dispatch_uid="logto_auth.switched_on")
        pre_delete.connect(store.end_sessions_of_deleted, user_model, dispatch_uid="logto_auth.deleted")
        if apps.is_installed("drf_spectacular"):
            from .contrib import spectacular  # noqa: F401  (it registers itself)


class LogtoAdminConfig(admin_apps.AdminConfig):
    """For `INSTALLED_APPS`, in place of "django.contrib.admin": the admin that asks Logto who you are."""

    default_site = "logto_auth.admin_site.LogtoAdminSite"
    default = False

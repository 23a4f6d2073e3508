"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["LogtoPasswordMigrationConfig"]


class LogtoPasswordMigrationConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth.password_migration"."""

    name = "logto_auth.password_migration"
    label = "logto_password_migration"
    verbose_name = _("Password migration")
    default_auto_field = "django.db.models.BigAutoField"

"""The app's configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

__all__ = ["LogtoAuditConfig"]


class LogtoAuditConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth.audit"."""

    name = "logto_auth.audit"
    label = "logto_audit"
    verbose_name = _("Audit trail")
    default_auto_field = "django.db.models.BigAutoField"

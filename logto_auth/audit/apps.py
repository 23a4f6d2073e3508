"""The app's configuration."""

from django.apps import AppConfig
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from logto_auth import signals
from logto_auth.apps import connect
from logto_auth.batches import batch_ended

__all__ = ["LogtoAuditConfig"]


class LogtoAuditConfig(AppConfig):
    """For `INSTALLED_APPS`: "logto_auth.audit"."""

    name = "logto_auth.audit"
    label = "logto_audit"
    verbose_name = _("Audit trail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers."""
        connect_receivers()


# The functions in `receivers`, which are imported when they are first called.
RECEIVERS: dict[str, Signal] = {
    "count_refused": signals.sign_in_refused,
    "record_account_changed": signals.account_changed,
    "record_account_deleted": signals.account_deleted,
    "record_batch": batch_ended,
    "record_created": signals.user_created,
    "record_linked": signals.identity_linked,
    "record_memberships": signals.memberships_changed,
    "record_password_sign_in": signals.signed_in_with_password,
    "record_reactivated": signals.user_reactivated,
    "record_rights": signals.rights_changed,
    "record_session_ended": signals.session_ended,
    "record_signed_out": signals.signed_out,
    "record_suspended": signals.user_suspended,
}


def connect_receivers() -> None:
    """Let the audit trail record what happens. Repeated calls change nothing."""
    for name, signal in RECEIVERS.items():
        connect(signal, f"logto_auth.audit.receivers.{name}")


def disconnect_receivers() -> None:
    """Let the audit trail record nothing but what code of the site records: for tests."""
    for name, signal in RECEIVERS.items():
        signal.disconnect(dispatch_uid=f"logto_auth.audit.receivers.{name}")

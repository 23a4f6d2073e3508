"""The app's configuration."""

from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.contrib.auth import get_user_model
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from logto_auth import signals
from logto_auth.apps import account_models, connect, connect_to_account
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
    "count_refused_password": signals.password_sign_in_refused,
    "record_account_changed": signals.account_changed,
    "record_account_deleted": signals.account_deleted,
    "record_account_edited": signals.account_edited,
    "record_api_key": signals.api_key_changed,
    "record_api_keys_limited": signals.api_keys_limited,
    "record_batch": batch_ended,
    "record_created": signals.user_created,
    "record_impersonation_ended": signals.impersonation_ended,
    "record_impersonation_refused": signals.impersonation_refused,
    "record_impersonation_started": signals.impersonation_started,
    "record_issuer": signals.issuer_changed,
    "record_linked": signals.identity_linked,
    "record_memberships": signals.memberships_changed,
    "record_organization": signals.organization_changed,
    "record_password_migrated": signals.password_migrated,
    "record_password_sign_in": signals.signed_in_with_password,
    "record_reactivated": signals.user_reactivated,
    "record_rights": signals.rights_changed,
    "record_session_ended": signals.session_ended,
    "record_signed_out": signals.signed_out,
    "record_suspended": signals.user_suspended,
}


def connect_receivers() -> None:
    """Let the audit trail record what happens. Repeated calls change nothing."""
    for model in account_models():
        # Whatever the order of the apps: the end of the sessions of a deleted account is recorded before the erasure.
        connect_to_account(model)
    for name, signal in RECEIVERS.items():
        connect(signal, f"logto_auth.audit.receivers.{name}")
    for name, signal, sender in _receivers_of_models():
        connect(signal, f"logto_auth.audit.{name}", sender)


def disconnect_receivers() -> None:
    """Let the audit trail record nothing but what code of the site records: for tests."""
    for name, signal in RECEIVERS.items():
        signal.disconnect(dispatch_uid=f"logto_auth.audit.receivers.{name}")
    for name, signal, sender in _receivers_of_models():
        signal.disconnect(sender=sender, dispatch_uid=f"logto_auth.audit.{name}")


def _receivers_of_models() -> Iterator[tuple[str, Signal, type]]:
    """Yield the functions for signals of models, with the signal and the sender of each."""
    user_model: Any = get_user_model()
    for model in account_models():
        yield "by_hand.keep_former_flags", pre_save, model
        yield "by_hand.record_flags", post_save, model
        # It deletes the row with more columns and that of the user model, and sends a signal for each.
        if model._meta.concrete_model is user_model._meta.concrete_model:
            yield "by_hand.record_deletion", pre_delete, model
            yield "receivers.erase_deleted_account", pre_delete, model
    for name, field in (("by_hand.record_groups", "groups"), ("by_hand.record_permissions", "user_permissions")):
        relation: Any = getattr(user_model, field, None)
        if hasattr(relation, "through"):
            yield name, m2m_changed, relation.through

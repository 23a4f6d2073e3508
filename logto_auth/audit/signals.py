"""The signal of the audit trail."""

from django.dispatch import Signal

__all__ = ["event_recorded"]

event_recorded = Signal()
"""Sent for each event, after its row was inserted. A transaction around it may still be rolled back.

Sender: `AuditEvent`.

Arguments: `event`, the `AuditEvent`. Its `id` is None on MySQL, which does not return the ids of several rows.
"""

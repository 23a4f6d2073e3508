"""Webhooks of Logto: verified, applied in order, and passed on as signals."""

from .events import WebhookEvent
from .views import handle

__all__ = ["WebhookEvent", "handle"]

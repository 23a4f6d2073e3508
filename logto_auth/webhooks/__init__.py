"""Logto's webhooks: verified, applied in order, and passed on as signals.

`views` verifies a delivery, `events` reads it, `handlers` applies it, `ordering` ignores stale ones, and `signals` has
the signals for sites.
"""

from .events import WebhookEvent
from .views import handle

__all__ = ["WebhookEvent", "handle"]

"""Webhooks as tasks of `django.tasks`: `LOGTO_WEBHOOK_RUNNER = "logto_auth.contrib.tasks.enqueue"`."""

from __future__ import annotations

from logto_auth.exceptions import ConfigurationError
from logto_auth.webhooks.views import handle

try:
    from django.tasks import task
except ImportError as error:
    raise ConfigurationError(
        "logto_auth.contrib.tasks needs django.tasks, which is part of Django 6.0 and newer. With an older version "
        "leave LOGTO_WEBHOOK_RUNNER empty, or let another task queue call logto_auth.webhooks.handle(body)."
    ) from error

__all__ = ["enqueue", "handle_webhook"]


@task()
def handle_webhook(body: str) -> None:
    """Handle the event in `body`, on a worker."""
    handle(body)


def enqueue(body: str) -> None:
    """Let a worker handle the event in `body`."""
    handle_webhook.enqueue(body)

"""Django's tasks as the runner of webhooks: `LOGTO_WEBHOOK_RUNNER = "logto_auth.contrib.tasks.enqueue"`."""

from __future__ import annotations

from logto_auth.exceptions import ConfigurationError
from logto_auth.webhooks.views import handle

try:
    from django.tasks import task
except ImportError as error:
    raise ConfigurationError(
        "logto_auth.contrib.tasks needs django.tasks, which came with Django 6.0. Until then leave "
        "LOGTO_WEBHOOK_RUNNER empty, or let another queue call logto_auth.webhooks.handle(body)."
    ) from error


@task()
def handle_webhook(body: str) -> None:
    """Do what the event in `body` means here, on a worker."""
    handle(body)


def enqueue(body: str) -> None:
    """Have a worker handle the event in `body`."""
    handle_webhook.enqueue(body)

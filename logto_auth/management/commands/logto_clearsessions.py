"""`manage.py logto_clearsessions`: delete what has expired. Run it daily, like Django's `clearsessions`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from logto_auth.sessions.ending import delete_expired_sessions
from logto_auth.webhooks.ordering import delete_old_marks


class Command(BaseCommand):
    """The command `logto_clearsessions`."""

    help = "Deletes the tokens of expired sessions, and the stored times of webhooks that are too old to be needed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete both and print how many sessions there were."""
        self.stdout.write(f"Expired sessions deleted: {delete_expired_sessions()}")
        delete_old_marks()

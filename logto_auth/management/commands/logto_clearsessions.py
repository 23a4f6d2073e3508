"""`manage.py logto_clearsessions`: delete what has expired. Run it daily, like Django's `clearsessions`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.sessions.ending import delete_expired_sessions
from logto_auth.webhooks.ordering import delete_old_marks


class Command(LogtoCommand):
    """The command `logto_clearsessions`."""

    help = "Deletes the tokens of expired sessions, and the stored times of webhooks that are too old to be needed."

    examples = ("logto_clearsessions",)
    interrupted = "Interrupted. Run the command again to delete the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option `--json`."""
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete both and print how many sessions there were."""
        deleted = delete_expired_sessions()
        delete_old_marks()
        self.result = {"expired_sessions_deleted": deleted}
        self.say(f"Expired sessions deleted: {deleted:,}")

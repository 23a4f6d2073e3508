"""`manage.py logto_clearsessions`: what Django's `clearsessions` is for its own table. For a daily job."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from logto_auth.sessions.store import clear_expired
from logto_auth.webhooks.ordering import delete_old_marks


class Command(BaseCommand):
    help = (
        "Deletes the tokens of sessions that nobody signed out of, and that have expired since; and the marks of "
        "webhooks that nothing older can come for any more."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Expired sessions deleted: {clear_expired()}")
        delete_old_marks()

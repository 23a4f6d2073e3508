"""`manage.py logto_move_issuer`: keeps accounts when the tenant gets another endpoint."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.conf import conf
from logto_auth.signals import issuer_changed
from logto_auth.users.moving import KEY_FIELDS, move_rows


class Command(BaseCommand):
    help = "Moves the users and organizations of LOGTO_FORMER_ENDPOINTS to LOGTO_ENDPOINT: the same tenant, renamed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="report what would change, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if not conf.former_endpoints:
            raise CommandError("LOGTO_FORMER_ENDPOINTS must be set to the origins that LOGTO_ENDPOINT had before.")
        not_moved, counts = 0, []
        for model, key in KEY_FIELDS.items():
            moved, kept = move_rows(model, is_dry=options["dry_run"])
            counts.append(moved)
            verb = "would be moved" if options["dry_run"] else "moved"
            self.stdout.write(f"{model._meta.verbose_name_plural}: {moved:,} {verb}")
            for row in kept:
                name = f"{model._meta.verbose_name} {getattr(row, key)}"
                self.stderr.write(f"{name} exists at both issuers, and was not moved: row {row.pk}")
            not_moved += len(kept)
        if any(counts) and not options["dry_run"]:
            identities, organizations = counts
            issuer_changed.send_robust(
                sender=None, issuer=conf.issuer, identities=identities, organizations=organizations
            )
        if not_moved:
            raise CommandError(
                f"{not_moved:,} rows were not moved, because users have signed in since LOGTO_ENDPOINT was changed. "
                "Delete one row of each pair, and run the command again."
            )

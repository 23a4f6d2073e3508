"""`manage.py logto_move_issuer`: keeps accounts when the tenant gets another endpoint."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from logto_auth.conf import conf
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.signals import issuer_changed
from logto_auth.users.moving import KEY_FIELDS, move_rows


class Command(LogtoCommand):
    help = "Moves the users and organizations of LOGTO_FORMER_ENDPOINTS to LOGTO_ENDPOINT: the same tenant, renamed."

    examples = ("logto_move_issuer --dry-run", "logto_move_issuer")
    interrupted = "Interrupted. Run the command again to move the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_dry_run(parser)
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not conf.former_endpoints:
            raise CommandError("LOGTO_FORMER_ENDPOINTS must be set to the origins that LOGTO_ENDPOINT had before.")
        is_dry = options["dry_run"]
        not_moved: list[dict[str, Any]] = []
        counts: dict[str, int] = {}
        self.result = {"dry_run": is_dry, "moved": counts, "not_moved": not_moved}
        for (model, key), kind in zip(KEY_FIELDS.items(), ("identities", "organizations"), strict=True):
            counts[kind], kept = move_rows(model, is_dry=is_dry)
            verb = "would be moved" if is_dry else "moved"
            self.say(f"{model._meta.verbose_name_plural}: {counts[kind]:,} {verb}")
            for row in kept:
                not_moved.append({"kind": kind, "id": getattr(row, key), "row": row.pk})
                name = f"{model._meta.verbose_name} {getattr(row, key)}"
                self.stderr.write(f"{name} exists at both issuers, and was not moved: row {row.pk}")
        if any(counts.values()) and not is_dry:
            issuer_changed.send_robust(sender=None, issuer=conf.issuer, **counts)
        if not_moved:
            were = "row was" if len(not_moved) == 1 else "rows were"
            raise CommandError(
                f"{len(not_moved):,} {were} not moved, because users have signed in since LOGTO_ENDPOINT was changed. "
                "Delete one row of each pair, and run the command again."
            )

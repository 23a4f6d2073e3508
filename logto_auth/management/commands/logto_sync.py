"""`manage.py logto_sync`: updates users, roles and organizations from Logto."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management.shown_report import ShownReport
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import SyncRun
from logto_auth.sync import apply, missed, notes, report, runs, sync_run


class Command(BaseCommand):
    help = "Updates the users known here from Logto: fields, suspensions and deletions, roles, organizations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--create", action="store_true", help="also create accounts for users unknown here")
        parser.add_argument("--dry-run", action="store_true", help="report what would change, and change nothing")
        parser.add_argument("--restart", action="store_true", help="start a new run instead of resuming one")
        parser.add_argument(
            "--rate", type=float, metavar="N", help="requests per second; default: 18 for Logto Cloud, else no limit"
        )
        part = parser.add_mutually_exclusive_group()
        part.add_argument("--prepare", action="store_true", help="only list roles and organizations, for --page-range")
        part.add_argument("--page-range", type=page_range, metavar="A-B", help="only sync these pages of 100 users")
        part.add_argument("--finish", action="store_true", help="only do what follows the last --page-range")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            api = management_api()
            api.limit_batch(options["rate"])
            run = self._run(options)
            is_whole = not (options["page_range"] or options["finish"])
            shown = ShownReport(self, run.counts if is_whole else {})
            self._sync(options, run, api, shown)
        except (LogtoError, ConfigurationError) as error:
            raise CommandError(f"{error}") from error
        shown.conclude(report.OUTCOMES, nothing="No users to update.", is_dry=run.is_dry)
        if shown.counts[report.NOT_LISTED]:
            raise CommandError("Logto has not listed everything. See above.")

    def _run(self, options: dict[str, Any]) -> SyncRun:
        kind = {"creates_users": options["create"], "is_dry": options["dry_run"]}
        if options["page_range"] or options["finish"]:
            run = runs.find_resumable(**kind)
            if run is None:
                raise CommandError("There is no run with these options. Start one with --prepare.")
            return run
        run = runs.start_or_resume(**kind, restart=options["restart"])
        if run.position != {"stage": runs.ROLES}:
            self.stderr.write(f"Resuming the run of {run}, stage: {run.position['stage']}.")
        return run

    def _sync(self, options: dict[str, Any], run: SyncRun, api: ManagementAPI, shown: ShownReport) -> None:
        if options["prepare"]:
            notes.list_roles_and_organizations(run, api, shown)
            pages = -(-api.users.count() // PAGE_SIZE)
            self.stdout.write(f"Ready for --page-range (pages 1-{pages}), then --finish.")
        elif options["page_range"]:
            apply.sync_pages(run, options["page_range"], api, shown)
        elif options["finish"]:
            runs.take(run, runs.COMMAND)
            apply.sync_unlisted(run, api, shown)
            missed.sync_missed(run, api, shown)
            runs.end(run)
        else:
            sync_run(run, api, shown)


def page_range(text: str) -> range:
    """Return the pages of `A-B`, counted from 1, including B."""
    match = re.fullmatch(r"([0-9]+)-([0-9]+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ArgumentTypeError("expected a range such as 1-500")
    return range(int(match[1]), int(match[2]) + 1)

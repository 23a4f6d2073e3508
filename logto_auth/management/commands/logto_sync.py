"""`manage.py logto_sync`: updates users, roles and organizations from Logto."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.management.shown_report import ShownReport
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import SyncRun
from logto_auth.sync import apply, missed, notes, report, runs, sync_run


class Command(LogtoCommand):
    help = "Updates the users known here from Logto: fields, suspensions and deletions, roles, organizations."

    examples = (
        "logto_sync --create --dry-run",
        "logto_sync --create",
        "logto_sync --prepare && manage.py logto_sync --page-range 1-500 && manage.py logto_sync --finish",
    )
    interrupted = "Interrupted. Start the command again to resume the run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--create", action="store_true", help="also create accounts for users unknown here")
        arguments.add_dry_run(parser)
        parser.add_argument("--restart", action="store_true", help="start a new run instead of resuming one")
        arguments.add_rate(parser)
        part = parser.add_mutually_exclusive_group()
        part.add_argument("--prepare", action="store_true", help="only list roles and organizations, for --page-range")
        part.add_argument("--page-range", type=page_range, metavar="A-B", help="only sync these pages of 100 users")
        part.add_argument("--finish", action="store_true", help="only do what follows the last --page-range")
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        shown = ShownReport(self)
        try:
            api = management_api()
            api.limit_batch(options["rate"])
            run = self._run(options)
            if not (options["page_range"] or options["finish"]):
                shown.counts.update(run.counts)
            self._sync(options, run, api, shown)
        except (LogtoError, ConfigurationError) as error:
            self._conclude(shown, options, nothing="No user was updated.")
            raise CommandError(f"{error}") from error
        except KeyboardInterrupt:
            self._conclude(shown, options, nothing="No user was updated.")
            raise
        self._conclude(shown, options, nothing="No users to update.")
        if shown.counts[report.NOT_LISTED]:
            raise CommandError("Logto has not listed everything. See above.")

    def _conclude(self, shown: ShownReport, options: dict[str, Any], *, nothing: str) -> None:
        shown.conclude(report.OUTCOMES, nothing=nothing, is_dry=options["dry_run"])
        if shown.counts[report.UNKNOWN]:
            reason = "all are suspended there" if options["create"] else "--create creates the accounts"
            self.say(f"Unknown are users of Logto who have no account here: {reason}. -v 2 names them.")

    def _run(self, options: dict[str, Any]) -> SyncRun:
        kind = {"creates_users": options["create"], "is_dry": options["dry_run"]}
        if options["page_range"] or options["finish"]:
            run = runs.find_resumable(**kind)
            if run is None:
                raise CommandError("There is no run with these options. Start one with --prepare.")
            return run
        run = runs.start_or_resume(**kind, restart=options["restart"])
        if run.position != {"stage": runs.ROLES}:
            self.stderr.write(f"Resuming the run of {run}, stage: {run.position['stage']}.", str)
        return run

    def _sync(self, options: dict[str, Any], run: SyncRun, api: ManagementAPI, shown: ShownReport) -> None:
        if options["prepare"]:
            notes.list_roles_and_organizations(run, api, shown)
            pages = -(-api.users.count() // PAGE_SIZE)
            self.say(f"Ready for --page-range (pages 1-{pages}), then --finish.")
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

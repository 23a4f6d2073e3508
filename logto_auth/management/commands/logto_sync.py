"""`manage.py logto_sync`: has people, roles and organizations be here what Logto says."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth import sync
from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management.shown_report import ShownReport
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import PAGE_SIZE
from logto_auth.models import SyncRun
from logto_auth.sync import notes, people, report, runs
from logto_auth.sync.pace import requests_per_second


class Command(BaseCommand):
    help = "Brings people known here up to date with Logto: fields, suspensions and deletions, roles, organizations."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--create", action="store_true", help="make accounts for people who are unknown here")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument("--restart", action="store_true", help="do not go on with a run that was interrupted")
        parser.add_argument(
            "--rate", type=float, metavar="N", help="requests a second; 18 for Logto's cloud, else as many as there are"
        )
        part = parser.add_mutually_exclusive_group()
        part.add_argument("--prepare", action="store_true", help="only list roles and organizations, for --page-range")
        part.add_argument("--page-range", type=page_range, metavar="A-B", help="only sync these pages of 100 people")
        part.add_argument("--finish", action="store_true", help="only do what comes after the last --page-range")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            api = management_api()
            api.limit(requests_per_second(api, options["rate"]))
            run = self._run(options)
            is_whole = not (options["page_range"] or options["finish"])
            shown = ShownReport(self, run.counts if is_whole else {})
            self._do(options, run, api, shown)
        except (LogtoError, ConfigurationError) as error:
            raise CommandError(f"{error}") from error
        shown.conclude(report.OUTCOMES, nobody="Nobody to bring up to date.", is_dry=run.is_dry)

    def _run(self, options: dict[str, Any]) -> SyncRun:
        kind = {"creates_users": options["create"], "is_dry": options["dry_run"]}
        if options["page_range"] or options["finish"]:
            run = runs.find(**kind)
            if run is None:
                raise CommandError("No run of this kind is under way: start one with --prepare.")
            return run
        run = runs.begin(**kind, restart=options["restart"])
        if run.position != {"stage": runs.ROLES}:
            self.stderr.write(f"Going on with the run of {run}, at: {run.position['stage']}.")
        return run

    def _do(self, options: dict[str, Any], run: SyncRun, api: ManagementAPI, shown: ShownReport) -> None:
        if options["prepare"]:
            notes.take_notes(run, api, shown)
            pages = -(-api.users.count() // PAGE_SIZE)
            self.stdout.write(f"Ready for --page-range, of 1-{pages} in all; then --finish.")
        elif options["page_range"]:
            people.sync_users_pages(run, options["page_range"], api, shown)
        elif options["finish"]:
            people.sync_missing(run, api, shown)
            runs.end(run)
        else:
            sync.sync(run, api, shown)


def page_range(text: str) -> range:
    """The pages in `A-B`, from 1 and including B."""
    match = re.fullmatch(r"([0-9]+)-([0-9]+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ArgumentTypeError("is to be two numbers of pages, such as 1-500")
    return range(int(match[1]), int(match[2]) + 1)

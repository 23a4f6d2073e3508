"""`manage.py logto_import`: creates this site's accounts at Logto, with their passwords."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.management.shown_report import ShownReport
from logto_auth.sync.importing import CONCURRENCY, OUTCOMES, Import


class Command(LogtoCommand):
    help = "Creates a user at Logto for each account here that is not linked to one, and links both."
    examples = (
        "logto_import --dry-run",
        "logto_import --adopt-by-email",
        "logto_import --values shop.importing.shop_values --rate 10",
    )
    interrupted = "Interrupted. Start the command again to import the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_dry_run(parser)
        arguments.add_import(parser, CONCURRENCY)
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        report = ShownReport(self)
        values_of = arguments.values_function(options["values"])
        try:
            api = management_api()
            api.limit_batch(options["rate"])
            Import(
                api,
                report,
                is_dry=options["dry_run"],
                adopts_by_email=options["adopt_by_email"],
                adopts_by_username=options["adopt_by_username"],
                values_of=values_of,
                concurrency=options["concurrency"],
            ).run()
        except (LogtoError, ConfigurationError) as error:
            self._conclude(report, options)
            raise CommandError(f"{error}") from error
        except KeyboardInterrupt:
            self._conclude(report, options)
            raise
        report.conclude(OUTCOMES, nothing="All accounts are linked.", is_dry=options["dry_run"])

    def _conclude(self, report: ShownReport, options: dict[str, Any]) -> None:
        """Show what was done before the command stopped."""
        report.conclude(OUTCOMES, nothing="No account was imported.", is_dry=options["dry_run"])

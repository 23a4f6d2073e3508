"""`manage.py logto_import`: creates this site's accounts at Logto, with their passwords."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management.shown_report import ShownReport
from logto_auth.sync.importing import CONCURRENCY, OUTCOMES, Import
from logto_auth.sync.in_order import MAX_CONCURRENCY


class Command(BaseCommand):
    help = "Creates a user at Logto for each account here that is not linked to one, and links both."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="report what would change, and change nothing")
        parser.add_argument(
            "--adopt-by-email", action="store_true", help="link to the user who has the same e-mail at Logto"
        )
        parser.add_argument(
            "--adopt-by-username", action="store_true", help="link to the user who has the same username at Logto"
        )
        parser.add_argument(
            "--values",
            default="logto_auth.sync.user_values",
            metavar="PATH",
            help="dotted path of a function (user) -> dict that returns the body of Logto's POST /users",
        )
        parser.add_argument(
            "--rate", type=float, metavar="N", help="requests per second; default: 18 for Logto Cloud, else no limit"
        )
        parser.add_argument(
            "--concurrency",
            type=concurrency,
            default=CONCURRENCY,
            metavar="N",
            help=f"requests at once, 1 to {MAX_CONCURRENCY}; default: {CONCURRENCY}",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = ShownReport(self)
        try:
            api = management_api()
            api.limit_batch(options["rate"])
            Import(
                api,
                report,
                is_dry=options["dry_run"],
                adopts_by_email=options["adopt_by_email"],
                adopts_by_username=options["adopt_by_username"],
                values_of=import_string(options["values"]),
                concurrency=options["concurrency"],
            ).run()
        except (LogtoError, ConfigurationError, ImportError) as error:
            self._conclude(report, options)
            raise CommandError(f"{error}") from error
        except KeyboardInterrupt:
            self._conclude(report, options)
            raise CommandError("Interrupted. Start the command again to import the rest.", returncode=130) from None
        report.conclude(OUTCOMES, nothing="All accounts are linked.", is_dry=options["dry_run"])

    def _conclude(self, report: ShownReport, options: dict[str, Any]) -> None:
        """Show what was done before the command stopped."""
        report.conclude(OUTCOMES, nothing="No account was imported.", is_dry=options["dry_run"])


def concurrency(text: str) -> int:
    """Return the number in `text`, from 1 to 32."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_CONCURRENCY:
        raise ArgumentTypeError(f"expected a number from 1 to {MAX_CONCURRENCY}")
    return int(text)

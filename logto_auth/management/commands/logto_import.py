"""`manage.py logto_import`: pushes this site's accounts to Logto, with their passwords."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management.shown_report import ShownReport
from logto_auth.sync.importing import OUTCOMES, Import
from logto_auth.sync.pace import requests_per_second


class Command(BaseCommand):
    help = "Makes a user at Logto of each account here that is not linked to one, and links the two."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument(
            "--adopt-by-email", action="store_true", help="link to whoever has the same e-mail at Logto already"
        )
        parser.add_argument(
            "--adopt-by-username", action="store_true", help="link to whoever has the same username at Logto already"
        )
        parser.add_argument(
            "--values",
            default="logto_auth.sync.importing.user_values",
            metavar="PATH",
            help="dotted path of a function (user) -> dict that says what Logto is told of an account",
        )
        parser.add_argument(
            "--rate", type=float, metavar="N", help="requests a second; 18 for Logto's cloud, else as many as there are"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        report = ShownReport(self)
        try:
            api = management_api()
            api.limit(requests_per_second(api, options["rate"]))
            Import(
                api,
                report,
                is_dry=options["dry_run"],
                adopts_by_email=options["adopt_by_email"],
                adopts_by_username=options["adopt_by_username"],
                values_of=import_string(options["values"]),
            ).run()
        except (LogtoError, ConfigurationError, ImportError) as error:
            raise CommandError(f"{error}") from error
        report.conclude(OUTCOMES, nobody="Every account is linked.", is_dry=options["dry_run"])

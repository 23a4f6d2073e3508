"""`python manage.py demo`: the whole bookstore with one command."""

import io
import json
import logging
import signal
from argparse import RawDescriptionHelpFormatter
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

from bookstore.core.demo import (
    banner,
    banner_data,
    checked_ports,
    install_claims_script,
    missing_variables,
    prepare_database,
    seed,
    send_invitation,
)

EXAMPLES = """\
examples:
  python manage.py demo
  PORT=8080 EMULATOR_PORT=3002 python manage.py demo
  python manage.py demo --json"""


class HelpFormatter(RawDescriptionHelpFormatter, DjangoHelpFormatter):
    """Keeps the lines of the examples."""


class Command(BaseCommand):
    help = "Run the bookstore and, unless the environment names a Logto, an emulated Logto beside it."
    requires_system_checks = []  # `run` runs them, after the clearer messages below

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, epilog=EXAMPLES, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print the URLs and accounts as JSON, on one line, when all is ready"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            self.run(is_json=options["json"])

    def run(self, *, is_json: bool) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo is for one computer only and has no HTTPS: unset DJANGO_DEBUG.")
        if missing := missing_variables():
            raise CommandError(
                f"To use a Logto of your own, set {' and '.join(missing)} as well; "
                "to use the emulator, unset all LOGTO_ variables."
            )
        # The port is in the URL of the MCP endpoint, which the checks would call invalid in longer words.
        port, emulator_port = checked_ports()
        self.check()
        prepare_database()
        site_urls = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1")]
        with self.logto(emulator_port, site_urls):
            if settings.USES_EMULATOR:
                install_claims_script()
                send_invitation(site_urls[0])
            site = site_urls[0]
            self.stdout.write(json.dumps(banner_data(site)) if is_json else banner(site))
            self.stdout.flush()
            logging.disable(logging.INFO)  # one line for each cover would scroll the banner away
            settings.DEBUG = False  # show the 404 page of the shop, not Django's debug page
            call_command(
                "runserver", f"127.0.0.1:{port}", use_reloader=False, insecure_serving=True, stdout=io.StringIO()
            )

    def logto(self, emulator_port: int, site_urls: list[str]) -> AbstractContextManager[Any]:
        """Return the running emulator, or a null context with a real Logto."""
        if not settings.USES_EMULATOR:
            return nullcontext()
        try:
            # Imported here: a site with a real Logto does not need Flask.
            from logto_auth.emulator import run_in_thread
        except ImportError as error:
            raise CommandError(f"{error}") from error
        return run_in_thread(port=emulator_port, outbound_guard=False, seed=partial(seed, base_urls=site_urls))

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bookstore.catalog.loading import load_catalogue


class Command(BaseCommand):
    help = "Load the books of the shop into the database. Existing books do not change."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="also restore the texts, prices and stock of existing books"
        )

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        loaded = load_catalogue(reset=reset)
        self.stdout.write(f"{loaded.added} books added, {loaded.kept} already there.")

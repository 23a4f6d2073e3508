from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bookstore.catalog.loading import load_catalogue


class Command(BaseCommand):
    help = "Put the shop's books on the shelves. Books that are there already are left as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="also put back the words, prices and stock of the catalogue"
        )

    def handle(self, *args: Any, reset: bool, **options: Any) -> None:
        loaded = load_catalogue(reset=reset)
        self.stdout.write(f"{loaded.added} books added, {loaded.kept} already there.")

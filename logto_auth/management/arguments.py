"""Arguments that several commands share."""

from __future__ import annotations

import re
from argparse import SUPPRESS, ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import CommandError
from django.utils.module_loading import import_string

from logto_auth.sync.in_order import MAX_CONCURRENCY

__all__ = [
    "add_base_url",
    "add_common",
    "add_concurrency",
    "add_dry_run",
    "add_import",
    "add_json",
    "add_rate",
    "add_values",
    "add_yes",
    "concurrency",
    "rate",
    "values_function",
]


def add_base_url(parser: Any) -> None:
    """Add `--base-url`, which may be repeated. The option is a list."""
    parser.add_argument(
        "--base-url",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="origin at which the site is served, such as https://shop.example; may be repeated. "
        "Default: LOGTO_BASE_URL",
    )


def add_common(parser: Any) -> None:
    """Add Django's options of all commands to a subcommand: Django accepts them before the subcommand only."""
    parser.add_argument(
        "-v", "--verbosity", type=int, choices=[0, 1, 2, 3], default=SUPPRESS, help="amount of output; 2 shows more"
    )
    parser.add_argument("--traceback", action="store_true", default=SUPPRESS, help="show a traceback after an error")
    for name in ("--no-color", "--force-color"):
        parser.add_argument(name, action="store_true", default=SUPPRESS, help=SUPPRESS)


def add_json(parser: Any) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def add_yes(parser: Any) -> None:
    """Add `--yes`, for `confirmation.confirm`."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


def add_dry_run(parser: Any) -> None:
    """Add `--dry-run`."""
    parser.add_argument("--dry-run", action="store_true", help="report what would change, and change nothing")


def add_rate(parser: Any) -> None:
    """Add `--rate`, in requests per second."""
    parser.add_argument(
        "--rate",
        type=rate,
        metavar="N",
        help="requests per second, such as 10; default: 18 for Logto Cloud, else no limit",
    )


def add_concurrency(parser: Any, default: int) -> None:
    """Add `--concurrency`, the number of requests at once."""
    parser.add_argument(
        "--concurrency",
        type=concurrency,
        default=default,
        metavar="N",
        help=f"requests at once, 1 to {MAX_CONCURRENCY}; default: {default}",
    )


def add_values(parser: Any) -> None:
    """Add `--values`, the function that returns what is sent to Logto for an account."""
    parser.add_argument(
        "--values",
        default="logto_auth.sync.user_values",
        metavar="PATH",
        help="dotted path of a function (user) -> dict that returns the body of Logto's POST /users",
    )


def values_function(path: str) -> Callable[[Any], Mapping[str, Any]]:
    """Return the function of `--values`. Raise CommandError if it is none."""
    try:
        found: Any = import_string(path)
    except ImportError as error:
        raise CommandError(f"--values is {path!r:.200}, which cannot be imported: {error}", returncode=2) from error
    if not callable(found):
        raise CommandError(f"--values is {path!r:.200}, which is no function.", returncode=2)
    return found  # type: ignore[no-any-return]


def add_import(parser: Any, concurrency: int) -> None:
    """Add the options of an import: whom to adopt, which values to send, how fast."""
    parser.add_argument(
        "--adopt-by-email", action="store_true", help="link to the user who has the same e-mail at Logto"
    )
    parser.add_argument(
        "--adopt-by-username", action="store_true", help="link to the user who has the same username at Logto"
    )
    add_values(parser)
    add_rate(parser)
    add_concurrency(parser, concurrency)


def concurrency(text: str) -> int:
    """Return the number in `text`, from 1 to 32."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= MAX_CONCURRENCY:
        raise ArgumentTypeError(f"expected a number from 1 to {MAX_CONCURRENCY}, such as 8")
    return int(text)


def rate(text: str) -> float:
    """Return the number in `text`, more than 0."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or float(text) <= 0:
        raise ArgumentTypeError("expected a number above 0, such as 10 or 0.5")
    return float(text)

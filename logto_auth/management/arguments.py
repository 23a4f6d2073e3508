"""Arguments that several commands share."""

from __future__ import annotations

from typing import Any

__all__ = ["add_base_url", "add_json", "add_yes"]


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


def add_json(parser: Any) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON, for scripts")


def add_yes(parser: Any) -> None:
    """Add `--yes`, for `confirmation.confirm`."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

"""The site as a whole."""

from __future__ import annotations

from django.core.checks import run_checks
from django.core.management import call_command


def test_checks_report_nothing() -> None:
    found = [message for message in run_checks() if not message.is_silenced()]
    assert [message for message in found if str(message.id).startswith("logto_auth.")] == []


def test_no_migration_is_missing() -> None:
    # It exits with an error if one is.
    call_command("makemigrations", check_changes=True, dry_run=True, verbosity=0)

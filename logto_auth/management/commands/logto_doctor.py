"""`manage.py logto_doctor`: try everything that a sign-in needs, and print each finding with its remedy."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.doctor import Finding, examine
from logto_auth.doctor.findings import LEVELS
from logto_auth.exceptions import ConfigurationError
from logto_auth.management import arguments
from logto_auth.tenant.site import site_base_urls

__all__ = ["Command"]


class Command(BaseCommand):
    help = "Find problems with sign-ins: in the settings, on this machine and in Logto. Changes nothing."
    # The results of the system checks are among the findings.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_base_url(parser)
        parser.add_argument("--deploy", action="store_true", help="run the system checks for deployment too")
        parser.add_argument(
            "--fail-on",
            choices=["failure", "warning"],
            default="failure",
            help="exit with 1 for findings of this level or worse. Default: %(default)s",
        )
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        base_urls = self._base_urls(options["base_url"])
        findings: list[Finding] = []
        for finding in examine(base_urls, deploy=options["deploy"]):
            findings.append(finding)
            if not options["json"]:
                self._print(finding)
        self._print_summary(findings, is_json=options["json"])
        fail_on = LEVELS.index(options["fail_on"])
        if any(LEVELS.index(finding.level) >= fail_on for finding in findings):
            sys.exit(1)

    def _base_urls(self, given: list[str]) -> list[str]:
        try:
            return site_base_urls(given)
        except ConfigurationError as error:
            if given:
                raise CommandError(str(error), returncode=2) from error
            return []  # LOGTO_BASE_URL is wrong: a system check reports it

    def _print(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "failure": self.style.ERROR}
        level = style.get(finding.level, str)(f"{finding.level:<8}")
        self.stdout.write(f"{level} {finding.check:<20} {finding.message}")
        if finding.remedy:
            self.stdout.write(f"{'':<29} {finding.remedy}")

    def _print_summary(self, findings: list[Finding], *, is_json: bool) -> None:
        counts = Counter(finding.level for finding in findings)
        if is_json:
            data = {"findings": [asdict(each) for each in findings], "counts": {each: counts[each] for each in LEVELS}}
            self.stdout.write(json.dumps(data, indent=2))
        else:
            self.stdout.write("\n" + ", ".join(f"{counts[level]} {level}" for level in LEVELS))

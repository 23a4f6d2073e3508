"""`manage.py logto_doctor`: tries what a sign-in needs, and says of each thing how it is and what to do."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.doctor import examine
from logto_auth.doctor.findings import Finding, Level
from logto_auth.exceptions import ConfigurationError
from logto_auth.tenant.site import site_base_urls

LEVELS: tuple[Level, ...] = ("ok", "skipped", "warning", "failure")


class Command(BaseCommand):
    help = "Looks for what is wrong with sign-ins: in the settings, on this machine, and at Logto."
    # Their findings are among its own.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base-url",
            action="append",
            default=[],
            metavar="ORIGIN",
            help="where the site is reached; may be repeated. Without it: LOGTO_BASE_URL",
        )
        parser.add_argument("--deploy", action="store_true", help="look also at what matters to servers only")
        parser.add_argument(
            "--fail-on",
            choices=["failure", "warning"],
            default="failure",
            help="exit with 1 from this level on; by default for failures",
        )
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            base_urls = site_base_urls(options["base_url"])
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=2) from error
        findings: list[Finding] = []
        for finding in examine(base_urls, deploy=options["deploy"]):
            findings.append(finding)
            if not options["json"]:
                self._say(finding)
        self._sum_up(findings, is_json=options["json"])
        worst = LEVELS.index(options["fail_on"])
        if any(LEVELS.index(finding.level) >= worst for finding in findings):
            sys.exit(1)

    def _say(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "failure": self.style.ERROR}
        level = style.get(finding.level, str)(f"{finding.level:<8}")
        self.stdout.write(f"{level} {finding.check:<20} {finding.message}")
        if finding.remedy:
            self.stdout.write(f"{'':<29} {finding.remedy}")

    def _sum_up(self, findings: list[Finding], *, is_json: bool) -> None:
        counts = Counter(finding.level for finding in findings)
        if is_json:
            data = {"findings": [asdict(each) for each in findings], "counts": {each: counts[each] for each in LEVELS}}
            self.stdout.write(json.dumps(data, indent=2))
        else:
            self.stdout.write("\n" + ", ".join(f"{counts[level]} {level}" for level in LEVELS))

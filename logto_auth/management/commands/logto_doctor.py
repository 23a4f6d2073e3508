"""`manage.py logto_doctor`: try everything that a sign-in needs, and print each finding with its remedy."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import CommandError, CommandParser

from logto_auth.checks.views import accepts_api_keys
from logto_auth.doctor import Finding, examine
from logto_auth.doctor.findings import LEVELS
from logto_auth.doctor.mcp import examine_mcp
from logto_auth.doctor.mcp.callback import is_loopback_redirect
from logto_auth.exceptions import ConfigurationError
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.management.texts import counted, terminal_width, wrapped
from logto_auth.tenant.site import site_base_urls

__all__ = ["Command"]

STYLES = {"ok": "SUCCESS", "warning": "WARNING", "failure": "ERROR"}
# The width of the columns before the text of a finding.
INDENT = 30
# Options that only --mcp has, except those with a default.
MCP_OPTIONS = ("client_id", "redirect_uri", "tool", "no_browser")


class Command(LogtoCommand):
    help = "Find problems with sign-ins: in the settings, on this machine and in Logto. Changes nothing."
    # The results of the system checks are among the findings.
    requires_system_checks: tuple[str, ...] = ()
    examples = (
        "logto_doctor --base-url https://shop.example",
        "logto_doctor --deploy --fail-on warning --json",
        "logto_doctor --mcp https://shop.example/mcp",
    )
    interrupted = "Interrupted before the last check."

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
        mcp = parser.add_argument_group("MCP", "Try an MCP server of the site, and examine nothing else.")
        mcp.add_argument("--mcp", metavar="URL", default="", help="URL of the MCP server")
        mcp.add_argument(
            "--client-id",
            metavar="ID",
            default="",
            help="App ID of an application without a secret, or the URL of a client metadata document. Default: a "
            "third-party application that LOGTO_TENANT declares",
        )
        mcp.add_argument(
            "--redirect-uri", metavar="URI", default="", help="loopback redirect URI of it. Default: one that it has"
        )
        mcp.add_argument("--tool", metavar="NAME", default="", help="tool to call, with all that the call does")
        mcp.add_argument(
            "--arguments", metavar="JSON", default="{}", help="arguments of the tool. Default: %(default)s"
        )
        mcp.add_argument("--no-browser", action="store_true", help="end before the sign-in")

    def handle(self, *args: Any, **options: Any) -> None:
        findings: list[Finding] = []
        counts = dict.fromkeys(LEVELS, 0)
        self.result = {"findings": [], "counts": counts}
        for finding in self._findings(options):
            findings.append(finding)
            self.result["findings"].append(asdict(finding))
            counts[finding.level] += 1
            self._print(finding)
        plurals = {"warning": "warnings", "failure": "failures"}
        total = ", ".join(counted(number, level, plurals.get(level, level)) for level, number in counts.items())
        self.say("", wrapped(total, width=terminal_width(self.stdout), indent=0))
        fail_on = LEVELS.index(options["fail_on"])
        if any(LEVELS.index(finding.level) >= fail_on for finding in findings):
            sys.exit(1)

    def _findings(self, options: dict[str, Any]) -> Iterator[Finding]:
        if options["mcp"]:
            return self._mcp_findings(options)
        for name in MCP_OPTIONS:
            if options[name]:
                raise CommandError(f"--{name.replace('_', '-')} needs --mcp URL.", returncode=2)
        base_urls = self._base_urls(options["base_url"])
        return examine(base_urls, deploy=options["deploy"], accepts_api_keys=accepts_api_keys)

    def _mcp_findings(self, options: dict[str, Any]) -> Iterator[Finding]:
        if not _is_server_url(options["mcp"]):
            raise CommandError(
                f"--mcp is {options['mcp']!r:.200}, expected a URL such as https://shop.example/mcp.", returncode=2
            )
        if options["redirect_uri"] and not is_loopback_redirect(options["redirect_uri"]):
            raise CommandError(
                f"--redirect-uri is {options['redirect_uri']!r:.200}, expected a loopback URI such as "
                "http://127.0.0.1:8900/callback.",
                returncode=2,
            )
        return examine_mcp(
            options["mcp"],
            client_id=options["client_id"],
            redirect_uri=options["redirect_uri"],
            tool=options["tool"],
            arguments=_json_object(options["arguments"]),
            # The output of --json goes to a script.
            show=None if options["no_browser"] or not sys.stdin.isatty() else self._show,
        )

    def _show(self, text: str) -> None:
        self.stderr.write(text, str)

    def _base_urls(self, given: list[str]) -> list[str]:
        try:
            return site_base_urls(given)
        except ConfigurationError as error:
            if given:
                raise CommandError(str(error), returncode=2) from error
            return []  # LOGTO_BASE_URL is wrong: a system check reports it

    def _print(self, finding: Finding) -> None:
        level = f"{finding.level:<8}"
        if style := STYLES.get(finding.level):
            level = self.styled(level, style)
        width = terminal_width(self.stdout)
        # On a narrow terminal, the text begins on a line of its own.
        indent = INDENT if width is None or width >= 2 * INDENT else 2
        texts = [wrapped(text, width=width, indent=indent) for text in (finding.message, finding.remedy) if text]
        margin = " " * indent
        separator = " " if indent == INDENT else f"\n{margin}"
        name = f"{finding.check:<20}" if indent == INDENT else finding.check
        self.say(f"{level} {name}{separator}{texts[0]}", *(f"{margin}{text}" for text in texts[1:]))


def _is_server_url(url: str) -> bool:
    """Return whether a URL can be that of an MCP server."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
    return is_valid and "@" not in parts.netloc and not parts.fragment and url.isascii() and url.isprintable()


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise CommandError(
            f'--arguments is {text!r:.200}, expected a JSON object such as \'{{"title": "Emma"}}\'.', returncode=2
        )
    return value

"""`manage.py logto_setup`: brings the tenant to what the site declares, and says the settings for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management.plan_text import plan_data, plan_lines
from logto_auth.tenant import env_file
from logto_auth.tenant.plan import Plan, apply, plan
from logto_auth.tenant.settings import SECRETS, SiteSettings, site_settings
from logto_auth.tenant.site import has_addresses, out_of_reach, site_base_urls, site_tenant
from logto_auth.tenant.steps import Step

DRIFT, FAILED = 1, 2


class Command(BaseCommand):
    help = "Makes the application and all else that this site needs in its Logto tenant, after showing what is missing."
    # It finds out what belongs in the settings: they may still be missing.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--base-url",
            action="append",
            default=[],
            metavar="ORIGIN",
            help="where the site is reached; may be repeated. Without it: LOGTO_BASE_URL",
        )
        parser.add_argument("--name", default="", help="name of a new application, where LOGTO_TENANT declares none")
        parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if there is a difference")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--env-file", metavar="PATH", help="write the settings into this file, secrets too")
        parser.add_argument("--show-secret", action="store_true", help="print secrets")
        parser.add_argument("--json", action="store_true", help="print JSON, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        self.is_json, self.shows_secrets = options["json"], options["show_secret"]
        try:
            self.run(options)
        except (ConfigurationError, LogtoError) as error:
            raise CommandError(str(error), returncode=FAILED) from error

    def run(self, options: dict[str, Any]) -> None:
        base_urls, env_path = site_base_urls(options["base_url"]), options["env_file"] and Path(options["env_file"])
        if has_addresses() and not base_urls:
            raise ConfigurationError("Say where the site is reached: by --base-url, or by LOGTO_BASE_URL.")
        api = management_api()
        found = plan(api, site_tenant(base_urls, application=options["name"]))
        self._say(*plan_lines(found))
        notes = [note for note in [out_of_reach(base_urls)] if note]
        if options["check"]:
            self._report(found, notes, applied=False)
            if found.changes:
                sys.exit(DRIFT)
            return
        if env_path:
            self._on_file(env_path, env_file.check)
        if found.changes:
            self._confirm(is_sure=options["yes"])
            self._apply(found)
        settings = site_settings(api, found)
        if env_path:
            self._on_file(env_path, partial(env_file.write, values=settings.values))
        self._say("", *self._setting_lines(settings, env_path))
        self._report(found, [*notes, *settings.warnings], applied=True, settings=self._shown(settings))

    def _apply(self, found: Plan) -> None:
        done: list[Step] = []

        def note(step: Step) -> None:
            done.append(step)
            self._say(f"done: {step}")

        try:
            apply(found, note)
        except LogtoError as error:
            raise CommandError(
                f"{error}\nDone: {len(done)} of {len(found.changes)}. Run it again: it goes on from what is there.",
                returncode=FAILED,
            ) from error

    def _on_file(self, path: Path, do: Callable[[Path], None]) -> None:
        try:
            do(path)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be written: {error}", returncode=FAILED) from error

    def _setting_lines(self, settings: SiteSettings, path: Path | None) -> list[str]:
        if path is not None:
            return [f"Written to {path}: {', '.join(settings.values)}."]
        shown = self._shown(settings)
        hidden = "# not shown; --env-file PATH writes it, --show-secret prints it"
        return [f"{name}={shown[name]}" if name in shown else f"{name}=  {hidden}" for name in settings.values]

    def _shown(self, settings: SiteSettings) -> dict[str, str]:
        return {name: value for name, value in settings.values.items() if self.shows_secrets or name not in SECRETS}

    # How it is said

    def _say(self, *lines: str) -> None:
        if not self.is_json:
            self.stdout.write("\n".join(lines))

    def _report(self, found: Plan, notes: list[str], **more: Any) -> None:
        if self.is_json:
            self.stdout.write(json.dumps({"steps": plan_data(found), "warnings": notes, **more}, indent=2))
            return
        for note in notes:
            self.stderr.write(note, self.style.WARNING)

    def _confirm(self, *, is_sure: bool) -> None:
        if is_sure:
            return
        self.stderr.write("Go on? [y/N] ", ending="")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was changed. Where nobody can be asked, --yes says that it is meant.")

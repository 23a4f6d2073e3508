"""`manage.py logto_setup`: apply the declaration of this site to its tenant, and print the resulting settings."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from logto_auth.clients import management_api
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand
from logto_auth.management.confirmation import confirm
from logto_auth.management.plan_output import plan_data, plan_lines
from logto_auth.tenant import Plan, Step, apply_plan, env_file, make_plan, site_declaration
from logto_auth.tenant.machine_applications import MACHINE_APPLICATION
from logto_auth.tenant.settings import SECRET_SETTINGS, SiteSettings, site_settings
from logto_auth.tenant.site import needs_base_url, outbound_guard_warning, site_base_urls, unreachable_warning
from logto_auth.tenant.third_party_steps import THIRD_PARTY_APPLICATION

__all__ = ["Command"]

# Exit codes.
DIFFERENT, FAILED = 1, 2


class Command(LogtoCommand):
    help = (
        "Create or change what this site needs in its Logto tenant: application, API resources, roles, organizations, "
        "applications of others, account center, password policy, MFA, script for custom claims, webhook. Shows the "
        "changes and asks before it applies them."
    )
    # The command finds out the values of settings, so these may still be missing.
    requires_system_checks: tuple[str, ...] = ()
    examples = (
        "logto_setup --base-url https://shop.example --env-file .env",
        "logto_setup --base-url https://shop.example --base-url http://localhost:8000",
        "logto_setup --check",
    )
    interrupted = "Interrupted. Run the command again to apply the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.add_base_url(parser)
        parser.add_argument("--name", default="", help="name of a new application, if LOGTO_TENANT declares none")
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; exit with 1 if the tenant differs from the declaration",
        )
        arguments.add_yes(parser)
        parser.add_argument("--env-file", metavar="PATH", help="write the settings to this file, including secrets")
        parser.add_argument("--show-secret", action="store_true", help="print secrets")
        arguments.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.shows_secrets = options["show_secret"]
        try:
            self._run(options)
        except (ConfigurationError, LogtoError) as error:
            raise CommandError(str(error), returncode=FAILED) from error

    def _run(self, options: dict[str, Any]) -> None:
        base_urls, env_path = site_base_urls(options["base_url"]), options["env_file"] and Path(options["env_file"])
        if needs_base_url() and not base_urls:
            raise ConfigurationError("The URL of the site is not known. Pass --base-url, or set LOGTO_BASE_URL.")
        api = management_api()
        plan = make_plan(api, site_declaration(base_urls, application=options["name"]))
        self.say(*plan_lines(plan))
        warnings = [text for text in (unreachable_warning(base_urls), outbound_guard_warning(base_urls)) if text]
        if options["check"]:
            self._report(plan, warnings, applied=False)
            if plan.changes:
                sys.exit(DIFFERENT)
            return
        if env_path:
            self._with_file(env_path, env_file.check_writable)
        if plan.changes:
            confirm(self, is_confirmed=options["yes"])
            self._apply(plan)
        settings = site_settings(api, plan)
        if env_path:
            self._with_file(env_path, partial(env_file.write_values, values=settings.values))
        self.say("", *self._setting_lines(settings, env_path))
        self._report(plan, [*warnings, *settings.warnings], applied=True, settings=self._shown(settings))

    def _apply(self, plan: Plan) -> None:
        done: list[Step] = []

        def on_done(step: Step) -> None:
            done.append(step)
            self.say(f"done: {step}{_app_id(plan, step)}")

        try:
            apply_plan(plan, on_done)
        except LogtoError as error:
            raise CommandError(
                f"{error}\nDone: {len(done)} of {len(plan.changes)}. Run the command again to apply the rest.",
                returncode=FAILED,
            ) from error

    def _with_file(self, path: Path, act: Callable[[Path], None]) -> None:
        try:
            act(path)
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} cannot be written: {error}", returncode=FAILED) from error

    def _setting_lines(self, settings: SiteSettings, path: Path | None) -> list[str]:
        if path is not None:
            return [f"Written to {path}: {', '.join(settings.values)}."]
        shown = self._shown(settings)
        hidden = "# hidden; --env-file PATH writes it, --show-secret prints it"
        return [f"{name}={shown[name]}" if name in shown else f"{name}=  {hidden}" for name in settings.values]

    def _shown(self, settings: SiteSettings) -> dict[str, str]:
        return {
            name: value for name, value in settings.values.items() if self.shows_secrets or name not in SECRET_SETTINGS
        }

    def _report(self, plan: Plan, warnings: list[str], **more: Any) -> None:
        """Set the result for `--json`, and print the warnings."""
        self.result = {
            "steps": plan_data(plan),
            "warnings": warnings,
            "machine_applications": dict(plan.machine_applications.ids),
            "third_party_applications": dict(plan.third_party_applications.ids),
            **more,
        }
        if warnings and not self.is_json:
            self.warn(*warnings)


def _app_id(plan: Plan, step: Step) -> str:
    """Return the App ID of the application of machines or of others that `step` is about. Empty for other steps."""
    created = {
        MACHINE_APPLICATION: plan.machine_applications.ids,
        THIRD_PARTY_APPLICATION: plan.third_party_applications.ids,
    }.get(step.kind)
    return f", App ID {created[step.name]}" if created is not None else ""

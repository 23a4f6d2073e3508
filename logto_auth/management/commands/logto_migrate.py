"""`manage.py logto_migrate`: the move of all users to Logto, from the plan to the rollback."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.management import arguments
from logto_auth.management.command import LogtoCommand, add_examples
from logto_auth.management.confirmation import confirm
from logto_auth.management.migration_plan import METHODS, MigrationPlan, PlanReport, plan_lines
from logto_auth.management.shown_report import ShownReport
from logto_auth.management.texts import counted
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity
from logto_auth.sync import undoing
from logto_auth.sync.importing import CONCURRENCY, OUTCOMES, Import, unlinked
from logto_auth.sync.marks import is_marked
from logto_auth.tenant import TenantDeclaration
from logto_auth.tenant.password_migration import password_migration_steps
from logto_auth.tenant.steps import Step

PASSWORD_MIGRATION = "logto_auth.password_migration"  # noqa: S105 - the name of an app
RUN_AGAIN = {
    "plan": "Interrupted. The plan is not complete.",
    "import": "Interrupted. Start the command again to import the rest.",
    "status": "Interrupted. The report is not complete.",
    "rollback": "Interrupted. Start the command again to delete the rest.",
}


class Command(LogtoCommand):
    help = "Moves all users to Logto: plan, import, report of progress, rollback."
    examples = (
        "logto_migrate plan -v 2",
        "logto_migrate import --dry-run",
        "logto_migrate import",
        "logto_migrate status",
        "logto_migrate rollback --dry-run",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

        def add(name: str, help: str, *examples: str) -> Any:
            added = commands.add_parser(name, help=help, description=help)
            add_examples(added, *(f"logto_migrate {name} {each}".rstrip() for each in examples))
            arguments.add_json(added)
            arguments.add_common(added)
            return added

        plan = add("plan", "Say what an import would do with each account. Changes nothing.", "", "-v 2", "--json")
        imported = add(
            "import",
            "Create a user at Logto for each account that is not linked to one, and link both. It can be repeated.",
            "--dry-run",
            "",
            "--adopt-by-email --rate 10",
        )
        arguments.add_dry_run(imported)
        for each in (plan, imported):
            arguments.add_import(each, CONCURRENCY)
        status = add("status", "Report how far the move is. Changes nothing.", "", "--json")
        arguments.add_rate(status)
        rollback = add(
            "rollback",
            "Delete the users at Logto that `import` has created and who have never signed in there, and unlink them. "
            "Passwords of this site do not change.",
            "--dry-run",
            "",
        )
        arguments.add_dry_run(rollback)
        arguments.add_yes(rollback)
        arguments.add_values(rollback)
        arguments.add_rate(rollback)
        arguments.add_concurrency(rollback, CONCURRENCY)

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["subcommand"]
        self.interrupted = RUN_AGAIN[name]
        self._script_is_removed = False
        try:
            api = management_api()
            self.rate = api.limit_batch(options["rate"])
            getattr(self, f"_{name}")(api, options)
        except (LogtoError, ConfigurationError) as error:
            raise CommandError(f"{error}") from error

    # Plan and import

    def _plan(self, api: ManagementAPI, options: dict[str, Any]) -> None:
        methods = api.sign_in_experience.get()["signIn"]["methods"]
        accepted = frozenset(METHODS[each["identifier"]] for each in methods if each["password"])
        report = PlanReport(self, accepted)
        accounts = get_user_model()._default_manager.count()
        plan = MigrationPlan(
            accounts=accounts,
            linked=accounts - unlinked().count(),
            kinds=report.kinds,
            notes=report.notes,
            has_password_migration=apps.is_installed(PASSWORD_MIGRATION),
            has_email_connector=any(each["type"] == "Email" for each in api.connectors.all()),
            rate=self.rate,
            messages=report.messages,
        )
        self._importer(api, report, options, is_dry=True).run()
        report.clear()
        self.result = plan.data
        self.say(*plan_lines(plan))

    def _import(self, api: ManagementAPI, options: dict[str, Any]) -> None:
        report = ShownReport(self)
        nothing = "No account was imported."
        try:
            self._importer(api, report, options, is_dry=options["dry_run"]).run()
            nothing = "All accounts are linked."
        finally:
            report.conclude(OUTCOMES, nothing=nothing, is_dry=options["dry_run"])
        if not options["dry_run"]:
            self.say("`logto_migrate status` shows the progress, and `logto_migrate rollback` undoes the import.")

    def _importer(self, api: ManagementAPI, report: ShownReport, options: dict[str, Any], *, is_dry: bool) -> Import:
        return Import(
            api,
            report,
            is_dry=is_dry,
            adopts_by_email=options["adopt_by_email"],
            adopts_by_username=options["adopt_by_username"],
            values_of=arguments.values_function(options["values"]),
            concurrency=options["concurrency"],
            marks=True,
        )

    # Status

    def _status(self, api: ManagementAPI, options: dict[str, Any]) -> None:
        accounts = get_user_model()._default_manager.count()
        waiting = unlinked().count()
        at_logto = self._users_at_logto(api)
        self.result = {
            "accounts": accounts,
            "linked": accounts - waiting,
            "not_linked": waiting,
            "created": at_logto["created"],
            "signed_in": at_logto["signed_in"],
            "without_password": at_logto["without_password"],
            "missing": at_logto["missing"],
            "passwords": self._passwords(),
        }
        self.say(
            f"Accounts: {accounts:,}",
            f"Linked to a user at Logto: {_share(accounts - waiting, accounts)}",
            f"Created by logto_migrate: {at_logto['created']:,}",
            f"Have signed in at Logto: {_share(at_logto['signed_in'], accounts - waiting)}",
            f"Without a password at Logto: {at_logto['without_password']:,}",
        )
        if at_logto["missing"]:
            self.say(f"Linked to a user whom Logto does not have: {at_logto['missing']:,}. `logto_sync` handles them.")
        if waiting:
            self.say(f"Not linked: {waiting:,}. `logto_migrate plan` says why.")
        if (passwords := self.result["passwords"]) is not None:
            self._say_passwords(passwords)

    def _users_at_logto(self, api: ManagementAPI) -> Counter[str]:
        """Return the counts of linked users. One request for each hundred."""
        counts: Counter[str] = Counter()
        report = ShownReport(self)
        linked = LogtoIdentity.objects.filter(issuer=conf.issuer).order_by("pk").select_related("user")
        total, done, last_key = linked.count(), 0, 0
        report.progress("linked", 0, total)
        while identities := list(linked.filter(pk__gt=last_key)[:PAGE_SIZE]):
            last_key = identities[-1].pk
            users = {user["id"]: user for user in api.users.with_ids([each.sub for each in identities])}
            for identity in identities:
                user = users.get(identity.sub)
                if user is None:
                    counts["missing"] += 1
                    continue
                counts["created"] += is_marked(user, identity.user)
                counts["signed_in"] += user["lastSignInAt"] is not None
                counts["without_password"] += not user["hasPassword"]
            done += len(identities)
            report.progress("linked", min(done, total), total)
        report.clear()
        return counts

    def _passwords(self) -> dict[str, Any] | None:
        """Return how many passwords have moved at a sign-in; None without the app for it."""
        if not apps.is_installed(PASSWORD_MIGRATION):
            return None
        status = import_string(f"{PASSWORD_MIGRATION}.status")()
        return {
            "total": status.total,
            "migrated": status.migrated,
            "left": status.left,
            "installed": status.is_installed,
            "open": status.is_open,
        }

    def _say_passwords(self, passwords: dict[str, Any]) -> None:
        self.say(f"Passwords that move at a sign-in: {_share(passwords['migrated'], passwords['total'])} have moved")
        if passwords["left"] and not passwords["installed"]:
            self.say(
                "Logto does not ask this site for them. Declare password_migration=True in LOGTO_TENANT, and run "
                "`manage.py logto_setup`."
            )
        elif passwords["left"] and not passwords["open"]:
            self.say(
                "This site checks none of them now. Set LOGTO_PASSWORD_MIGRATION_KEY, and a day to come in "
                "LOGTO_PASSWORD_MIGRATION_UNTIL."
            )

    # Rollback

    def _rollback(self, api: ManagementAPI, options: dict[str, Any]) -> None:
        report = ShownReport(self)
        undo = undoing.Undo(
            api, report, values_of=arguments.values_function(options["values"]), concurrency=options["concurrency"]
        )
        undo.find()
        script = self._script(api)
        report.conclude(undoing.FINDINGS, nothing="No user is linked.", is_dry=options["dry_run"])
        self._note_script(script, is_removed=False)
        found = report.counts[undoing.UNDOABLE]
        if options["dry_run"] or not (found or script.action != "nothing"):
            return
        if found:
            self.warn(
                f"This deletes {counted(found, 'user')} at {conf.endpoint} for good, and unlinks them. Close the "
                "sign-in of the site first."
            )
        if script.action != "nothing":
            self.warn("This removes the script with which Logto asks for passwords, for all sites of the tenant.")
        confirm(self, is_confirmed=options["yes"])
        try:
            if script.action != "nothing":
                # First, so that no further password moves.
                script.send()
                self._script_is_removed = True
            undo.run()
        finally:
            report.conclude(undoing.UNDO_OUTCOMES, nothing="No user was deleted.", is_dry=False)
            self._note_script(script, is_removed=self._script_is_removed)
        self.say(
            "The other users stay at Logto, linked. Accounts and passwords of this site have not changed.",
            "To let users sign in here again: ModelBackend in AUTHENTICATION_BACKENDS, and your own LOGIN_URL.",
        )
        if self._script_is_removed:
            self.say("Declare password_migration=False, or `logto_setup` installs the script again.")

    def _script(self, api: ManagementAPI) -> Step:
        """Return the step that removes Logto's script for passwords."""
        (step,) = password_migration_steps(api, TenantDeclaration(password_migration=False))
        return step

    def _note_script(self, script: Step, *, is_removed: bool) -> None:
        if self.is_json:
            self.result["password_script"] = {"found": script.action != "nothing", "removed": is_removed}
        elif script.action != "nothing":
            verb = "was removed" if is_removed else "is installed"
            self.say(f"Logto's script for passwords {verb}.")


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (f" ({100 * part // whole} %)" if whole else "")

"""`manage.py logto_audit`: seals, verifies, exports, prunes and erases the audit trail."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db.models import Sum
from django.utils.timezone import make_aware

from logto_auth.audit.erasing import erase_account, erase_sub
from logto_auth.audit.exporting import export
from logto_auth.audit.pruning import Damaged, old_seals, prune
from logto_auth.audit.recording import build_event, record_event, write_events
from logto_auth.audit.sealing import record_refused_sign_ins, seal_events
from logto_auth.audit.verifying import Verification
from logto_auth.conf import conf
from logto_auth.management.arguments import add_common, add_json, add_yes
from logto_auth.management.command import LogtoCommand, add_examples
from logto_auth.management.confirmation import confirm

MAX_PROBLEMS_SHOWN = 100
# The arguments in the examples of `--help`, by subcommand.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "seal": ("", "--delay 300"),
    "verify": ("", f"--expect 17:{'0123456789abcdef' * 4}"),
    "export": ("--since 2026-11-01 > events.jsonl",),
    "prune": ("--keep-days 365 --dry-run", "--keep-days 365 --yes"),
    "erase": ("4711", "--sub lqcq7a5u2k8r"),
}


class Command(LogtoCommand):
    help = "Seals, verifies, exports, prunes and erases the audit trail."

    examples = (
        "logto_audit seal",
        "logto_audit verify --json",
        "logto_audit export --since 2026-11-01 > events.jsonl",
        "logto_audit prune --keep-days 365 --dry-run",
    )
    interrupted = "Interrupted. What was done so far stays."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

        def add(name: str, help: str) -> CommandParser:
            added: CommandParser = commands.add_parser(name, help=help, description=help)
            add_examples(added, *(f"logto_audit {name} {rest}".rstrip() for rest in EXAMPLES[name]))
            if name != "export":
                add_json(added)
            add_common(added)
            return added

        seal = add("seal", "Chains the events since the last seal. Run it every few minutes.")
        seal.add_argument(
            "--delay",
            type=number_from(0),
            default=60,
            metavar="SECONDS",
            help="age of the events to seal, longer than the transactions of the site take; default: 60",
        )
        verify = add("verify", "Finds edited and missing events. The exit code is 1 if there is a problem.")
        verify.add_argument(
            "--expect",
            type=numbered_digest,
            metavar="NUMBER:DIGEST",
            help="a seal that `seal` has printed and that was kept elsewhere, to find out whether the end was cut off",
        )
        exported = add("export", "Prints sealed events as JSON lines.")
        for name in ("--since", "--until"):
            exported.add_argument(
                name, type=epoch_seconds, metavar="TIME", help="such as 2026-11-01 or 2026-11-01T18:30"
            )
        exported.add_argument("--unsealed", action="store_true", help="print events that are not sealed yet, too")
        pruned = add("prune", "Deletes old events. Their seals stay.")
        pruned.add_argument(
            "--keep-days", type=number_from(1), metavar="N", help="days to keep; default: LOGTO_AUDIT_KEEP_DAYS"
        )
        pruned.add_argument(
            "--also-damaged", action="store_true", help="prune events that were changed: `verify` will not find them"
        )
        pruned.add_argument("--dry-run", action="store_true", help="report what would be deleted, and delete nothing")
        add_yes(pruned)
        erase = add("erase", "Erases names, addresses and browsers of one person. Their events stay.")
        person = erase.add_mutually_exclusive_group(required=True)
        person.add_argument("user", nargs="?", metavar="USER", help="primary key of the account, which may be deleted")
        person.add_argument("--sub", type=not_empty, metavar="SUB", help="id of the user at Logto")
        add_yes(erase)

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['subcommand']}")(options)

    def _seal(self, options: dict[str, Any]) -> None:
        record_refused_sign_ins()
        seals: list[str] = []
        self.result = {"seals": seals, "events_sealed": 0}
        for seal in seal_events(delay=options["delay"]):
            seals.append(str(seal))
            self.result["events_sealed"] += seal.count
            self.say(str(seal))
        if not self.result["events_sealed"]:
            self.say("There is nothing to seal.")

    def _verify(self, options: dict[str, Any]) -> None:
        verification = Verification(expected=options["expect"])
        number, shown = 0, []
        for number, problem in enumerate(verification.problems(), 1):
            if number <= MAX_PROBLEMS_SHOWN:
                shown.append(problem)
                self.say(problem)
        self.result = {
            "sealed": verification.sealed,
            "unsealed": verification.unsealed,
            "seals": verification.seals,
            "pruned_seals": verification.pruned_seals,
            "last_seal": str(verification.last) if verification.last else None,
            "problems": shown,
            "problem_count": number,
        }
        self.say(
            f"Events: {verification.sealed:,} sealed, {verification.unsealed:,} not sealed yet. "
            f"Seals: {verification.seals:,}, pruned: {verification.pruned_seals:,}."
        )
        if verification.last:
            self.say(f"Last seal: {verification.last}")
        if number:
            raise CommandError(
                f"The audit trail was changed. Problems: {number:,}. If SECRET_KEY was replaced, "
                "the former key must be in SECRET_KEY_FALLBACKS."
            )

    def _export(self, options: dict[str, Any]) -> None:
        for line in export(since=options["since"], until=options["until"], unsealed=options["unsealed"]):
            self.stdout.write(line)

    def _prune(self, options: dict[str, Any]) -> None:
        keep_days = options["keep_days"] or conf.audit_keep_days
        if keep_days is None:
            raise CommandError("Give --keep-days, or set LOGTO_AUDIT_KEEP_DAYS.")
        seals = old_seals(keep_days=keep_days)
        events = seals.aggregate(events=Sum("count"))["events"] or 0
        days = "day" if keep_days == 1 else "days"
        self.result = {"dry_run": options["dry_run"], "keep_days": keep_days, "events": events, "deleted": 0}
        self.say(f"Sealed events older than {keep_days:,} {days}: {events:,}")
        if options["dry_run"] or not events:
            return
        confirm(self, is_confirmed=options["yes"])
        deleted = 0
        try:
            for seal in prune(seals, also_damaged=options["also_damaged"]):
                deleted += seal.count
        except Damaged as error:
            raise CommandError(
                f"{error} Pruning would hide that. Find out what happened, and use --also-damaged."
            ) from error
        finally:
            if deleted:
                record_event("events_pruned", details={"count": deleted, "keep_days": keep_days})
            self.result["deleted"] = deleted
            self.say(f"Deleted: {deleted:,}")

    def _erase(self, options: dict[str, Any]) -> None:
        sub = options["sub"] or ""
        pk = "" if sub else primary_key(options["user"])
        self.warn(f"Names, addresses and browsers of the user {sub or pk} are erased for good.")
        confirm(self, is_confirmed=options["yes"])
        count = erase_sub(sub) if sub else erase_account(pk)
        event = build_event("personal_data_erased", user_sub=sub, details={"count": count})
        event.user_id = pk
        write_events([event])
        self.result = {"user": pk or None, "sub": sub or None, "events": count}
        self.say(f"Events: {count:,}")


def number_from(minimum: int) -> Any:
    """Return a function that converts an argument to a whole number of at least `minimum`."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < minimum:
            raise ArgumentTypeError(f"expected a whole number from {minimum}, such as 60")
        return int(text)

    return number


def not_empty(text: str) -> str:
    """Return an id. An empty one, such as that of a variable that is not set, would erase nobody."""
    if not text:
        raise ArgumentTypeError("expected the id of a user at Logto")
    return text


def numbered_digest(text: str) -> tuple[int, str]:
    """Return number and digest of a seal."""
    if not re.fullmatch(r"[0-9]{1,18}:[0-9a-f]{64}", text):
        raise ArgumentTypeError("expected the number of a seal, a colon and its digest, as `seal` prints them")
    number, _, digest = text.partition(":")
    return int(number), digest


def epoch_seconds(text: str) -> float:
    """Return a time, in the time zone of the site if it has none, in seconds since the epoch."""
    try:
        time = datetime.fromisoformat(text)
        return (make_aware(time) if settings.USE_TZ and time.tzinfo is None else time).timestamp()
    except (OverflowError, ValueError):
        raise ArgumentTypeError("expected a date or a time, such as 2026-11-01 or 2026-11-01T18:30") from None


def primary_key(text: str) -> str:
    """Return a primary key of the user model as events contain it."""
    field: Any = get_user_model()._meta.pk
    try:
        key = str(field.to_python(text))
    except ValidationError:
        key = ""
    if not key:
        raise CommandError(f"{text!r} is no primary key of the user model. Or use --sub.")
    return key

"""`manage.py logto_migrate` with the emulator: plan, import, status and rollback."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher, ScryptPasswordHasher, make_password
from django.core.management import CommandError, call_command
from django.db.models.signals import post_delete

from logto_auth.emulator import Application, Emulator, HttpFault
from logto_auth.models import LogtoIdentity
from logto_auth.sync.marks import MARK, is_marked
from logto_auth.testing import Browser
from tests.password_migration import site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()
Command = Callable[..., str]
PASSWORD = "old password"


class FastScrypt(ScryptPasswordHasher):
    work_factor = 2


@pytest.fixture(autouse=True)
def hashers(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher",
        "tests.sync.test_logto_migrate.FastScrypt",
    ]


def customer(name: str, hasher: type[Any] | None = MD5PasswordHasher, **fields: Any) -> Any:
    """Create an account. Without a hasher it has no usable password."""
    user = User.objects.create(username=name, email=fields.pop("email", f"{name}@example.com"), **fields)
    if hasher is None:
        user.set_unusable_password()
    else:
        user.password = hasher().encode(PASSWORD, hasher().salt())
    user.save()
    return user


def result(*arguments: str) -> Any:
    """Run the command with --json, and return the JSON."""
    output = StringIO()
    call_command("logto_migrate", *arguments, "--json", stdout=output, stderr=StringIO())
    return json.loads(output.getvalue())


def sign_in(logto: Emulator, name: str) -> None:
    browser = Browser(logto)
    browser.open(browser.logto.sign_in(browser.start(), name, PASSWORD))


# Plan


@pytest.fixture
def all_kinds(logto: Emulator) -> None:
    """Accounts of each kind, and users at Logto in their way."""
    customer("imported")
    customer("moves", FastScrypt)
    customer("no_password", None)
    customer("staff", FastScrypt, is_staff=True)
    customer("inactive", is_active=False)
    customer("cus.tomer", email="")
    customer("twin", email="Imported@Example.com")
    customer("taken")
    customer("two", email="taken_twice@example.com")
    logto.tenant.add_user(username="other", primary_email="taken@example.com")
    logto.tenant.add_user(username="two")
    logto.tenant.add_user(username="another", primary_email="taken_twice@example.com")


@pytest.mark.usefixtures("all_kinds")
def test_plan_counts_each_kind_and_changes_nothing(logto: Emulator) -> None:
    before = set(logto.tenant.users)
    plan = result("plan")
    assert plan["imported"] == {
        "with_password": 2,
        "password_moves": 1,
        "new_password": 2,
        "linked_to_existing": 0,
    }
    assert {kind: number for kind, number in plan["not_imported"].items() if number} == {
        "no_identifier": 1,
        "duplicate": 1,
        "taken": 1,
        "taken_twice": 1,
    }
    assert plan["notes"] == {"inactive": 1, "staff": 1, "no_sign_in_method": 0}
    assert (plan["accounts"], plan["linked"]) == (9, 0)
    assert set(logto.tenant.users) == before
    assert not LogtoIdentity.objects.exists()


@pytest.mark.usefixtures("all_kinds")
def test_plan_is_what_import_does(logto: Emulator) -> None:
    plan = result("plan")
    done = result("import")
    assert done["counts"]["created"] == sum(plan["imported"].values())
    assert done["counts"]["conflicts"] == sum(plan["not_imported"].values())
    assert LogtoIdentity.objects.count() == done["counts"]["created"]
    assert result("plan")["linked"] == done["counts"]["created"]


@pytest.mark.usefixtures("all_kinds")
def test_plan_names_accounts_on_request(command: Command) -> None:
    short, long = command("logto_migrate", "plan"), command("logto_migrate", "plan", "-v", "2")
    assert "         1  a user at Logto has the identifier: see --adopt-by-email" in short
    assert "`-v 2` names the accounts." in short
    assert "taken@example.com" not in short
    assert "taken (" in long
    assert "cus.tomer (" in long


def test_plan_counts_users_whom_sign_in_page_cannot_accept(logto: Emulator) -> None:
    customer("customer", email="")
    logto.tenant.sign_in_experience.settings["signIn"] = {
        "methods": [{"identifier": "email", "password": True, "verificationCode": False, "isPasswordPrimary": True}]
    }
    assert result("plan")["notes"]["no_sign_in_method"] == 1


# Import


def test_imported_user_is_marked_and_signs_in(logto: Emulator, command: Command) -> None:
    account = customer("customer")
    assert command("logto_migrate", "import").startswith("created: 1\n")
    (user,) = logto.tenant.users.values()
    assert is_marked({"customData": user.custom_data}, account)
    sign_in(logto, "customer")
    assert LogtoIdentity.objects.get().user == account


def test_repeated_import_changes_nothing(logto: Emulator, command: Command) -> None:
    customer("customer")
    command("logto_migrate", "import")
    before = dict(logto.tenant.users)
    assert command("logto_migrate", "import").startswith("All accounts are linked.\n")
    assert logto.tenant.users == before


def test_dry_import_changes_nothing(logto: Emulator, command: Command) -> None:
    customer("customer")
    assert command("logto_migrate", "import", "--dry-run") == "created: 1\nNothing was changed (--dry-run).\n"
    assert not logto.tenant.users


def test_user_of_killed_import_is_linked_by_next_run(logto: Emulator, command: Command) -> None:
    account = customer("customer", is_active=False)
    command("logto_migrate", "import")
    (user,) = logto.tenant.users.values()
    # As if the process had been killed after the answer to the first request.
    LogtoIdentity.objects.all().delete()
    logto.tenant.suspend_user(user.id, is_suspended=False)
    assert result("plan")["imported"]["with_password"] == 1
    assert command("logto_migrate", "import").startswith("created: 1, suspended: 1\n")
    assert LogtoIdentity.objects.get().user == account
    assert user.is_suspended
    assert set(logto.tenant.users) == {user.id}


@pytest.mark.parametrize("mark", ["", "forged", 1, None, "of another account"])
def test_user_with_another_mark_is_not_linked(logto: Emulator, mark: Any) -> None:
    other = customer("other")
    result("import")
    if mark == "of another account":
        mark = next(iter(logto.tenant.users.values())).custom_data[MARK]
    victim = customer("victim")
    logto.tenant.add_user(username="victim", custom_data={MARK: mark})
    assert result("import")["counts"]["conflicts"] == 1
    assert not LogtoIdentity.objects.filter(user=victim).exists()
    assert LogtoIdentity.objects.filter(user=other).exists()


# Status


def test_status_counts_accounts_and_sign_ins(logto: Emulator, command: Command) -> None:
    for name in ("first", "second", "third"):
        customer(name)
    customer("without", None)
    command("logto_migrate", "import")
    sign_in(logto, "first")
    customer("later")
    gone = LogtoIdentity.objects.get(user__username="third").sub
    logto.tenant.delete_user(gone)
    assert result("status") == {
        "accounts": 5,
        "linked": 4,
        "not_linked": 1,
        "created": 3,
        "signed_in": 1,
        "without_password": 1,
        "missing": 1,
        "passwords": {"total": 0, "migrated": 0, "left": 0, "installed": False, "open": False},
    }
    assert "Have signed in at Logto: 1 of 4 (25 %)\n" in command("logto_migrate", "status")


# Rollback


@pytest.fixture
def migrated(logto: Emulator, machine: Application) -> None:
    """An imported user who has signed in, one who has not, and one who was at Logto before."""
    logto.tenant.add_user(username="before", primary_email="before@example.com")
    for name in ("signed_in", "waiting", "before"):
        customer(name)
    result("import", "--adopt-by-email")
    sign_in(logto, "signed_in")


def usernames(logto: Emulator) -> set[str | None]:
    return {user.username for user in logto.tenant.users.values()}


@pytest.mark.usefixtures("migrated")
def test_rollback_deletes_only_users_who_never_signed_in(logto: Emulator) -> None:
    passwords = dict(User.objects.values_list("username", "password"))
    done = result("rollback", "--yes")
    assert done["counts"] == {
        "deleted": 1,
        "have_signed_in": 1,
        "not_created_by_logto_migrate": 1,
        "not_at_logto": 0,
        "not_deleted": 0,
    }
    assert usernames(logto) == {"signed_in", "before"}
    assert set(LogtoIdentity.objects.values_list("user__username", flat=True)) == {"signed_in", "before"}
    assert dict(User.objects.values_list("username", "password")) == passwords
    assert User.objects.filter(is_active=True).count() == 3
    assert authenticate(username="waiting", password=PASSWORD) is not None


@pytest.mark.usefixtures("migrated")
def test_rollback_can_be_tried_and_declined(logto: Emulator, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = command("logto_migrate", "rollback", "--dry-run")
    assert shown == (
        "can be deleted: 1, have signed in: 1, not created by logto_migrate: 1\nNothing was changed (--dry-run).\n"
    )
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    with pytest.raises(CommandError, match="Aborted, nothing was changed"):
        command("logto_migrate", "rollback")
    assert usernames(logto) == {"signed_in", "before", "waiting"}
    assert LogtoIdentity.objects.count() == 3


@pytest.mark.usefixtures("migrated")
def test_rollback_can_be_followed_by_import(logto: Emulator) -> None:
    result("rollback", "--yes")
    assert result("rollback", "--yes")["counts"]["can_be_deleted"] == 0
    assert result("import")["counts"]["created"] == 1
    sign_in(logto, "waiting")


@pytest.mark.usefixtures("migrated")
def test_failed_rollback_is_continued_by_next_one(logto: Emulator) -> None:
    sub = LogtoIdentity.objects.get(user__username="waiting").sub
    logto.faults.http["management_api"] = HttpFault(status=503, only=f"DELETE /api/users/{sub}")
    with pytest.raises(CommandError):
        result("rollback", "--yes")
    logto.faults.clear()
    assert sub in logto.tenant.users
    assert not LogtoIdentity.objects.filter(sub=sub).exists()
    assert result("rollback", "--yes")["counts"]["deleted"] == 1
    assert sub not in logto.tenant.users


@pytest.mark.usefixtures("migrated")
def test_user_who_signs_in_during_rollback_stays_linked(logto: Emulator) -> None:
    identity = LogtoIdentity.objects.get(user__username="waiting")

    def sign_in_at_logto(sender: object, instance: Any, **kwargs: Any) -> None:
        logto.tenant.users[instance.sub].last_sign_in_at = time.time()

    post_delete.connect(sign_in_at_logto, LogtoIdentity)
    try:
        done = result("rollback", "--yes")
    finally:
        post_delete.disconnect(sign_in_at_logto, LogtoIdentity)
    # With the user who had signed in before.
    assert (done["counts"]["deleted"], done["counts"]["have_signed_in"]) == (0, 2)
    assert done["messages"] == [
        f"waiting ({identity.user_id}), {identity.sub}: stays: has signed in at Logto",
    ]
    assert identity.sub in logto.tenant.users
    assert LogtoIdentity.objects.get(user__username="waiting").sub == identity.sub


@pytest.mark.usefixtures("migrated")
def test_not_found_of_a_proxy_is_no_deletion(logto: Emulator) -> None:
    sub = LogtoIdentity.objects.get(user__username="waiting").sub
    logto.faults.http["management_api"] = HttpFault(status=404, body="<html>", only=f"DELETE /api/users/{sub}")
    assert result("rollback", "--yes")["counts"]["not_deleted"] == 1
    logto.faults.clear()
    assert sub in logto.tenant.users
    assert LogtoIdentity.objects.filter(sub=sub).exists()
    assert result("rollback", "--yes")["counts"]["deleted"] == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["plan"], 429), (["import"], 403), (["status"], 500), (["rollback", "--yes"], 403)],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_failing_logto_is_explained(logto: Emulator, arguments: list[str], status: int) -> None:
    customer("first")
    result("import")
    customer("second")
    before = set(logto.tenant.users)
    logto.faults.http["management_api"] = HttpFault(status=status)
    output = StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("logto_migrate", *arguments, "--json", stdout=output, stderr=StringIO())
    assert str(status) in str(failed.value)
    assert json.loads(output.getvalue())["error"] == str(failed.value)
    assert set(logto.tenant.users) == before
    assert LogtoIdentity.objects.count() == 1


def test_user_with_forged_mark_is_not_deleted(logto: Emulator) -> None:
    customer("customer")
    logto.tenant.add_user(username="customer", custom_data={MARK: "forged"})
    assert result("rollback", "--yes")["counts"]["can_be_deleted"] == 0
    assert usernames(logto) == {"customer"}


# Passwords that move at a sign-in


def test_status_counts_passwords_that_move(logto: Emulator, command: Command, settings: Any) -> None:
    site.set_up(logto, settings)
    for name in ("first", "second"):
        get_user_model().objects.create(
            username=name, password=make_password(site.PASSWORD, hasher="scrypt"), email=f"{name}@example.com"
        )
    assert result("import")["counts"]["without_password"] == 2
    assert "Logto does not ask this site for them." in command("logto_migrate", "status")
    call_command("logto_setup", "--base-url", "https://testserver", "--yes", stdout=StringIO(), stderr=StringIO())
    sub = LogtoIdentity.objects.get(user__username="first").sub
    assert site.ask(sub) == (200, True)
    assert result("status")["passwords"] == {"total": 2, "migrated": 1, "left": 1, "installed": True, "open": True}
    assert "Passwords that move at a sign-in: 1 of 2 (50 %) have moved\n" in command("logto_migrate", "status")


def test_rollback_removes_script_for_passwords(logto: Emulator, command: Command, settings: Any) -> None:
    site.set_up(logto, settings)
    call_command("logto_setup", "--base-url", "https://testserver", "--yes", stdout=StringIO(), stderr=StringIO())
    assert "Logto's script for passwords is installed.\n" in command("logto_migrate", "rollback", "--dry-run")
    assert result("rollback", "--yes")["password_script"] == {"found": True, "removed": True}
    assert result("rollback", "--yes")["password_script"] == {"found": False, "removed": False}
    assert result("status")["passwords"]["installed"] is False

"""`manage.py logto_import` with the emulator."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher, PBKDF2PasswordHasher, ScryptPasswordHasher
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.signals import post_save

from logto_auth.emulator import Emulator, HttpFault, VisitFailed
from logto_auth.models import LogtoIdentity
from logto_auth.sync.importing import user_values
from logto_auth.testing import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()
Command = Callable[..., str]


class FastPBKDF2(PBKDF2PasswordHasher):
    iterations = 10


@pytest.fixture(autouse=True)
def hashers(settings) -> None:
    settings.PASSWORD_HASHERS = [
        "tests.sync.test_logto_import.FastPBKDF2",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
    ]


def customer(name: str = "customer", **fields: Any) -> Any:
    return User.objects.create_user(name, fields.pop("email", f"{name}@example.com"), "old password", **fields)


# Imported accounts


def test_imported_user_signs_in_with_old_password(logto: Emulator, command: Command) -> None:
    user = customer(first_name="Cus", last_name="Tomer")
    assert command("logto_import") == "created: 1\n"
    browser = Browser(logto)
    with pytest.raises(VisitFailed):
        browser.logto.sign_in(browser.start(), "customer", "wrong password")
    browser.open(browser.logto.sign_in(browser.start(), "customer", "old password"))
    assert browser.client.get("/").wsgi_request.user == user
    after = User.objects.get()
    assert (after.username, after.email, after.first_name, after.last_name) == (
        "customer",
        "customer@example.com",
        "Cus",
        "Tomer",
    )


def test_account_fields_are_sent_to_logto(logto: Emulator, command: Command) -> None:
    customer(first_name="Cus", last_name="Tomer")
    command("logto_import")
    (user,) = logto.tenant.users.values()
    assert (user.username, user.primary_email, user.name) == ("customer", "customer@example.com", "Cus Tomer")
    assert user.profile == {"givenName": "Cus", "familyName": "Tomer"}
    assert not user.is_suspended


def test_local_password_is_kept_after_import(command: Command) -> None:
    user = customer()
    command("logto_import")
    assert authenticate(username="customer", password="old password") == user


def test_linked_account_is_not_imported_again(logto: Emulator, command: Command) -> None:
    customer()
    command("logto_import")
    assert command("logto_import") == "All accounts are linked.\n"
    assert len(logto.tenant.users) == 1


def test_interrupted_import_is_started_again(logto: Emulator, command: Command) -> None:
    for number in range(60):
        customer(f"customer{number}")

    def fail_in_the_middle(created: bool, **kwargs: Any) -> None:
        if LogtoIdentity.objects.count() == 30:
            logto.faults.http["management_api"] = HttpFault(status=403)

    post_save.connect(fail_in_the_middle, sender=LogtoIdentity)
    try:
        output = failed_import()
    finally:
        post_save.disconnect(fail_in_the_middle, sender=LogtoIdentity)
        logto.faults.clear()
    linked = LogtoIdentity.objects.count()
    # Requests that had been sent when the first one failed are handled all the same.
    assert 30 <= linked == len(logto.tenant.users) < 60
    assert f"created: {linked}\n" in output
    assert command("logto_import") == f"created: {60 - linked}\n"
    assert {user.username for user in logto.tenant.users.values()} == {f"customer{number}" for number in range(60)}


def failed_import(*arguments: str) -> str:
    """Run the command, which has to fail, and return its output."""
    output = StringIO()
    with pytest.raises(CommandError):
        call_command("logto_import", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_token_is_renewed_in_the_middle(logto: Emulator, command: Command) -> None:
    for number in range(40):
        customer(f"customer{number}")

    def expire_tokens(**kwargs: Any) -> None:
        if LogtoIdentity.objects.count() == 10:
            logto.clock.advance(2 * 3600)

    post_save.connect(expire_tokens, sender=LogtoIdentity)
    try:
        assert command("logto_import") == "created: 40\n"
    finally:
        post_save.disconnect(expire_tokens, sender=LogtoIdentity)
    assert LogtoIdentity.objects.count() == len(logto.tenant.users) == 40


def test_busy_logto_delays_the_import(logto: Emulator, command: Command) -> None:
    for number in range(10):
        customer(f"customer{number}")
    logto.faults.http["management_api"] = HttpFault(status=429, headers={"Retry-After": "1"}, times=4)
    assert command("logto_import") == "created: 10\n"
    assert LogtoIdentity.objects.count() == len(logto.tenant.users) == 10


@pytest.mark.parametrize("number", ["0", "33", "-1", "many"])
def test_invalid_concurrency_is_refused(number: str, command: Command) -> None:
    with pytest.raises(CommandError, match="expected a number from 1 to 32"):
        command("logto_import", f"--concurrency={number}")


@pytest.mark.django_db(transaction=True)
def test_interruption_in_a_transaction_loses_no_link(
    logto: Emulator, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes when the database has begun a transaction, but Django does not know of it yet."""
    if connection.vendor != "sqlite":
        pytest.skip("The other databases begin a transaction with the first statement in it.")
    for number in range(60):
        customer(f"customer{number}")
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.05)
    begin, begun = connection._start_transaction_under_autocommit, []

    def interrupt() -> None:
        begin()
        begun.append(True)
        if len(begun) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(connection, "_start_transaction_under_autocommit", interrupt)
    with pytest.raises(CommandError, match="Interrupted"):
        command("logto_import")
    linked = dict(LogtoIdentity.objects.values_list("sub", "user__username"))
    assert linked == {user.id: user.username for user in logto.tenant.users.values()}
    assert 0 < len(linked) < 60


# The result of one request at a time


def clashing_accounts() -> None:
    """Create accounts of which some want the same identifiers."""
    for number in range(30):
        customer(f"other{number}")
    customer("first", email="Shared@example.com", last_name="818012345678")
    customer("second", email="shared@EXAMPLE.com")
    # Free, because the second account is not imported.
    customer("third", email="second@example.com")
    # Another username at Logto. MySQL and MariaDB cannot store it beside the first.
    customer("another" if connection.vendor == "mysql" else "First", email="other@example.com")
    customer("fourth", email="fourth@example.com", last_name="818012345678")
    for number in range(30, 60):
        customer(f"other{number}", email="same@example.com" if number % 10 == 0 else f"other{number}@example.com")
    customer("fifth", email="SHARED@example.com", is_active=False)
    User.objects.create_user("six.th", "shared@example.com")
    customer("seventh", email="atlogto@example.com")
    customer("eighth", email="AtLogto@example.com")
    customer("ninth", email="linked@example.com")


def at_logto(logto: Emulator) -> dict[str, Any]:
    return {
        user.username or user.id: (user.primary_email, user.primary_phone, user.is_suspended)
        for user in logto.tenant.users.values()
    }


@pytest.mark.parametrize("adopts", [False, True], ids=["without-adoption", "with-adoption"])
def test_clashes_in_a_run_are_decided_in_the_order_of_accounts(adopts: bool, logto: Emulator, command: Command) -> None:
    clashing_accounts()
    logto.tenant.add_user(id="atlogto", primary_email="atLogto@example.com")
    linked = logto.tenant.add_user(id="linked", primary_email="linked@example.com")
    LogtoIdentity.objects.create(user=customer("tenth"), issuer=logto.issuer, sub=linked.id)
    options = ["--values=tests.sync.test_logto_import.with_a_phone", *(["--adopt-by-email"] if adopts else [])]
    outputs = [command("logto_import", *options, "--dry-run").replace("Nothing was changed (--dry-run).\n", "")]
    assert len(logto.tenant.users) == 2
    results = []
    for concurrency in (1, 8, 32):
        outputs.append(command("logto_import", *options, f"--concurrency={concurrency}"))
        results.append(at_logto(logto))
        LogtoIdentity.objects.exclude(sub="linked").delete()
        for sub in logto.tenant.users.keys() - {"atlogto", "linked"}:
            logto.tenant.delete_user(sub)
    counts = [output.splitlines()[-1] for output in outputs]
    expected = "created: 61, adopted: 1, conflicts: 8" if adopts else "created: 61, conflicts: 9"
    assert counts == [expected] * 4
    assert results[1] == results[2] == results[0]
    assert [without_ids(output) for output in outputs[1:]] == [without_ids(outputs[0])] * 3


def without_ids(output: str) -> list[str]:
    return sorted(line for line in output.splitlines() if "linked to" not in line)


def test_clash_names_the_account_that_was_imported(command: Command) -> None:
    first = customer("first", email="shared@example.com")
    second = customer("second", email="Shared@example.com")
    expected = f"second ({second.pk}): not imported: account {first.pk} has the same primaryEmail, and comes first\n"
    assert expected in command("logto_import", "--dry-run")
    assert expected in command("logto_import")


def test_account_is_imported_if_logto_refused_the_one_before(logto: Emulator, command: Command) -> None:
    customer("first", email="shared@example.com")
    customer("second", email="shared@example.com")
    output = command("logto_import", "--values", "tests.sync.test_logto_import.with_a_bad_avatar")
    assert "created: 1, conflicts: 1\n" in output
    (user,) = logto.tenant.users.values()
    assert (user.username, user.primary_email) == ("second", "shared@example.com")


def test_user_who_cannot_be_suspended_is_linked_and_reported(logto: Emulator, monkeypatch) -> None:
    user = customer(is_active=False)
    # The creation succeeds, and everything after it fails.
    add_user = logto.tenant.add_user

    def add_user_and_fail(**fields: Any) -> Any:
        logto.faults.http["management_api"] = HttpFault(status=403)
        return add_user(**fields)

    monkeypatch.setattr(logto.tenant, "add_user", add_user_and_fail)
    output = failed_import()
    (at_logto,) = logto.tenant.users.values()
    assert f"created as {at_logto.id}, but not suspended at Logto: suspend the user there" in output
    assert LogtoIdentity.objects.get().user == user


def test_dry_run_reports_and_changes_nothing(logto: Emulator, command: Command) -> None:
    customer("first")
    customer("second", is_active=False)
    customer("taken")
    User.objects.create_user("passwordless", "passwordless@example.com")
    logto.tenant.add_user(username="taken")
    requests_before = len(logto.tenant.users)
    output = command("logto_import", "--dry-run")
    assert "created: 3, suspended: 1, without password: 1, conflicts: 1\nNothing was changed (--dry-run).\n" in output
    assert len(logto.tenant.users) == requests_before
    assert LogtoIdentity.objects.count() == 0
    assert "created: 3, suspended: 1, without password: 1, conflicts: 1\n" in command("logto_import")


# Values that Logto does not accept


def test_inactive_account_is_suspended_at_logto(logto: Emulator, command: Command) -> None:
    customer(is_active=False)
    assert command("logto_import") == "created: 1, suspended: 1\n"
    (user,) = logto.tenant.users.values()
    assert user.is_suspended
    assert command("logto_sync") == "unchanged: 1\n"
    # Staff deactivated it here, so it stays inactive when the suspension at Logto is lifted.
    logto.clock.advance(1)
    logto.tenant.suspend_user(user.id, is_suspended=False)
    command("logto_sync")
    assert User.objects.get().is_active is False


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("scrypt$16$salt$8$1$aGFzaA==", "'scrypt'"),
        ("!unusable", "the account has no usable password"),
        ("argon2$argon2id$v=19$m=1024", "the hash is malformed"),
        ("pbkdf2_sha256$10$hex:00ff10$" + "A" * 43 + "=", "its salt begins with 'hex:'"),
    ],
)
def test_unsupported_password_is_left_out_and_reported(
    encoded: str, reason: str, logto: Emulator, command: Command
) -> None:
    user = customer()
    User.objects.update(password=encoded)
    output = command("logto_import")
    assert f"customer ({user.pk}): imported without a password:" in output
    assert reason in output
    assert "created: 1, without password: 1\n" in output
    (at_logto,) = logto.tenant.users.values()
    assert not at_logto.has_password


def test_user_with_md5_password_signs_in(logto: Emulator, command: Command) -> None:
    user = customer()
    User.objects.update(password=MD5PasswordHasher().encode("old password", "seasalt"))
    assert command("logto_import") == "created: 1\n"
    browser = Browser(logto)
    with pytest.raises(VisitFailed):
        browser.logto.sign_in(browser.start(), "customer", "wrong password")
    browser.open(browser.logto.sign_in(browser.start(), "customer", "old password"))
    assert browser.client.get("/").wsgi_request.user == user


@pytest.mark.parametrize("name", ["cus.tomer", "1customer", "cus tomer", "カスタマー"])
def test_invalid_username_is_left_out_and_reported(name: str, logto: Emulator, command: Command) -> None:
    customer(name, email="customer@example.com")
    output = command("logto_import")
    assert f"username {name!r} is left out, because Logto would refuse it: only letters" in output
    (user,) = logto.tenant.users.values()
    assert (user.username, user.primary_email) == (None, "customer@example.com")
    browser = Browser(logto)
    with pytest.raises(VisitFailed, match="Sign-up requires a username"):
        browser.logto.sign_in(browser.start(), "customer@example.com", "old password")
    logto.tenant.sign_in_experience.sign_up_identifiers = []
    browser.open(browser.logto.sign_in(browser.start(), "customer@example.com", "old password"))
    assert browser.client.get("/").wsgi_request.user.get_username() == name


def test_account_without_identifier_is_reported_and_not_imported(logto: Emulator, command: Command) -> None:
    customer("cus.tomer", email="")
    output = command("logto_import")
    assert "not imported, because no identifier is left to sign in with" in output
    assert "conflicts: 1\n" in output
    assert len(logto.tenant.users) == 0


def test_account_that_is_not_imported_has_no_remark_on_its_password(logto: Emulator, command: Command) -> None:
    customer("cus.tomer", email="")
    User.objects.update(password="!unusable")
    output = command("logto_import")
    assert "not imported, because no identifier is left" in output
    assert "imported without a password" not in output


@pytest.mark.parametrize(
    ("password", "way"),
    [
        (ScryptPasswordHasher().encode("old password", "seasalt"), "with the password migration it moves at the"),
        ("!unusable", "account has no usable password; the user must use 'Forgot password'"),
    ],
    ids=["scrypt", "unusable"],
)
def test_remark_says_which_passwords_the_migration_could_move(
    password: str, way: str, logto: Emulator, command: Command, settings: Any
) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "logto_auth.password_migration"]
    customer()
    User.objects.update(password=password)
    assert way in command("logto_import", "--dry-run")


def test_refused_account_does_not_stop_the_import(logto: Emulator, command: Command, settings) -> None:
    for name in ("first", "second"):
        customer(name)
    output = command("logto_import", "--values", "tests.sync.test_logto_import.with_a_bad_avatar")
    assert "first" in output
    assert "not imported, because Logto refused it: guard.invalid_input" in output
    assert "created: 1, conflicts: 1\n" in output


def with_a_bad_avatar(user: Any) -> dict[str, Any]:
    return {**user_values(user), "avatar": "no address" if user.username == "first" else None}


def with_a_phone(user: Any) -> dict[str, Any]:
    return {**user_values(user), "primaryPhone": user.last_name, "customData": {"points": 3}}


def test_values_function_adds_data_and_invalid_phone_is_reported(logto: Emulator, command: Command) -> None:
    customer("first", last_name="818012345678")
    customer("second", last_name="+81 80 1234 5679")
    output = command("logto_import", "--values", "tests.sync.test_logto_import.with_a_phone")
    assert "primaryPhone '+81 80 1234 5679' is left out" in output
    first, second = sorted(logto.tenant.users.values(), key=lambda user: user.username or "")
    assert (first.primary_phone, first.custom_data) == ("818012345678", {"points": 3})
    assert second.primary_phone is None


def test_rights_that_first_sign_in_removes_are_reported(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin", "owner")
    customer(is_staff=True, is_superuser=True)
    output = command("logto_import")
    assert "has is_staff here: assign admin or owner at Logto, or the first sign-in removes it" in output
    assert "is_superuser" not in output


# Users who exist at Logto


def test_existing_logto_user_is_not_linked_without_option(logto: Emulator, command: Command) -> None:
    customer()
    sub = logto.tenant.add_user(username="customer", primary_email="other@example.com", password="theirs").id
    output = command("logto_import")
    assert f"not imported: the user {sub} at Logto has this username" in output
    assert "conflicts: 1\n" in output
    assert "conflicts: 1\n" in command("logto_import", "--adopt-by-email")
    assert LogtoIdentity.objects.count() == 0
    assert "adopted: 1\n" in command("logto_import", "--adopt-by-username")
    assert LogtoIdentity.objects.get().sub == sub
    assert logto.tenant.users[sub].password == "theirs"


def test_adoption_by_email_ignores_case_and_refuses_ambiguity(logto: Emulator, command: Command) -> None:
    customer("first", email="First@Example.com")
    customer("second")
    sub = logto.tenant.add_user(primary_email="first@example.com").id
    logto.tenant.add_user(username="second")
    logto.tenant.add_user(primary_email="second@example.com")
    output = command("logto_import", "--adopt-by-email", "--adopt-by-username")
    assert LogtoIdentity.objects.get().sub == sub
    assert "more than one user at Logto has this username and primaryEmail" in output
    assert "adopted: 1, conflicts: 1\n" in output


def test_staff_account_is_never_adopted(logto: Emulator, command: Command) -> None:
    customer(is_staff=True)
    logto.tenant.add_user(username="customer", primary_email="customer@example.com")
    output = command("logto_import", "--adopt-by-email", "--adopt-by-username")
    assert "link accounts of staff by hand" in output
    assert LogtoIdentity.objects.count() == 0


def test_logto_user_is_linked_to_one_account_only(logto: Emulator, command: Command) -> None:
    customer("first", email="shared@example.com")
    customer("second", email="shared@example.com")
    output = command("logto_import")
    assert "created: 1, conflicts: 1\n" in output
    assert "has the same primaryEmail, and comes first" in output
    output = command("logto_import", "--adopt-by-email")
    assert "is linked to another account" in output
    assert LogtoIdentity.objects.count() == 1

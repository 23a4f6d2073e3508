"""`manage.py logto_sync` with users of equal times of creation, whom Logto lists in another order for each page."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity, SyncNote
from logto_auth.sync import by_id
from logto_auth.sync.listed import Distinct

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()
Command = Callable[..., str]
NOON = 1795392000000


def inserted_users(logto: Emulator, number: int, **fields: Any) -> list[str]:
    """Add users as a script does that inserts them into Logto's database, and return their ids."""
    return [logto.tenant.add_user(username=f"inserted{each}", created_at=NOON, **fields).id for each in range(number)]


def subs() -> set[str]:
    return set(LogtoIdentity.objects.values_list("sub", flat=True))


def user_requests(logto: Emulator) -> int:
    return len([each for each in logto.requests if each.path == "/api/users"])


def failed_sync(*arguments: str) -> str:
    """Run the command, which has to fail, and return its output."""
    output = StringIO()
    with pytest.raises(CommandError, match="has not listed everything"):
        call_command("logto_sync", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_lists_miss_users_of_equal_times(logto: Emulator) -> None:
    all_subs = set(inserted_users(logto, 300))
    listed = [user["id"] for user in management_api().users.all()]
    assert len(listed) == 300
    assert set(listed) < all_subs


def test_users_of_equal_times_are_all_created(logto: Emulator, command: Command) -> None:
    all_subs = set(inserted_users(logto, 300))
    assert command("logto_sync", "--create") == "created: 300\n"
    assert subs() == all_subs
    assert SyncNote.objects.count() == 0
    assert command("logto_sync", "--create") == "unchanged: 300\n"


def test_known_users_of_equal_times_are_all_updated(logto: Emulator, command: Command) -> None:
    all_subs = inserted_users(logto, 300)
    command("logto_sync", "--create")
    for sub in all_subs:
        logto.tenant.update_user(sub, primary_email=f"{sub}@example.com")
    logto.requests.clear()
    assert command("logto_sync") == "updated: 300\n"
    # Missing users are requested by id.
    assert user_requests(logto) < 10


def test_dry_run_counts_users_of_equal_times(logto: Emulator, command: Command) -> None:
    inserted_users(logto, 300)
    assert "created: 300\n" in command("logto_sync", "--create", "--dry-run")
    assert User.objects.count() == 0
    assert command("logto_sync", "--create") == "created: 300\n"


def test_users_without_accounts_are_counted_as_listed(logto: Emulator, command: Command) -> None:
    for number in range(150):
        logto.tenant.add_user(username=f"reader{number}", is_suspended=number % 2 == 0)
    logto.requests.clear()
    assert command("logto_sync", "--create").startswith("created: 75, unknown: 75\n")
    # The count, two pages, and the count at the end.
    assert user_requests(logto) == 4


def test_suspended_users_of_equal_times_are_counted_once(logto: Emulator, command: Command) -> None:
    inserted_users(logto, 150)
    for number in range(150):
        logto.tenant.add_user(username=f"suspended{number}", is_suspended=True, created_at=NOON)
    assert command("logto_sync", "--create").startswith("created: 150, unknown: 150\n")


def test_user_who_registers_during_the_run_gets_an_account(logto: Emulator, command: Command) -> None:
    for number in range(150):
        logto.tenant.add_user(username=f"reader{number}")

    def register(**kwargs: Any) -> None:
        if logto.tenant.find_user(username="late") is None:
            logto.tenant.add_user(username="late")

    post_save.connect(register, sender=User)
    logto.requests.clear()
    try:
        assert command("logto_sync", "--create") == "created: 151\n"
    finally:
        post_save.disconnect(register, sender=User)
    # The count, two pages, the count at the end, and the first page.
    assert user_requests(logto) == 5


def test_user_who_is_deleted_during_the_run_is_no_alarm(logto: Emulator, command: Command) -> None:
    all_subs = [logto.tenant.add_user(username=f"reader{number}").id for number in range(150)]

    def delete(**kwargs: Any) -> None:
        logto.tenant.users.get(all_subs[0]) and logto.tenant.delete_user(all_subs[0])

    post_save.connect(delete, sender=User)
    logto.requests.clear()
    try:
        assert command("logto_sync", "--create") == "created: 150\n"
    finally:
        post_save.disconnect(delete, sender=User)
    assert user_requests(logto) == 4


def test_users_who_cannot_be_listed_are_reported(logto: Emulator) -> None:
    for number in range(250):
        logto.tenant.add_user(id=f"-{number}", username=f"inserted{number}", created_at=NOON)
    output = failed_sync("--create")
    created = User.objects.count()
    assert created < 250
    assert f"Logto has not listed {250 - created} of the users whose ids match ^([^" in output
    assert f"created: {created}, not listed: {250 - created}\n" in output


@pytest.mark.parametrize(
    "ids",
    [
        [f"a{number:05}" for number in range(1200)],
        [f"user{number:08}" for number in range(250)],
        [f"{letter}{number}" for letter in ("A", "a", "-", "_", "é") for number in range(33)],
        ["a" * length + character for length in range(12) for character in by_id.ALPHABET],
    ],
    ids=["common-prefix", "numbers", "other-characters", "prefixes-of-one-another"],
)
def test_groups_by_id_have_all_users(ids: list[str], logto: Emulator) -> None:
    for id in ids:
        logto.tenant.add_user(id=id, created_at=NOON)
    groups = list(by_id.all_groups(management_api().users.first_page))
    assert all(group.is_complete for group in groups)
    assert sorted(user["id"] for group in groups for user in group.users) == sorted(ids)


def test_groups_by_id_need_few_requests() -> None:
    """The search is here, because the emulator would take long with so many users."""
    generator = random.Random(1)
    ids = ["".join(generator.choices(by_id.ALPHABET, k=12)) for _ in range(5000)]
    patterns = []

    def search(**query: Any) -> tuple[list[Any], int]:
        patterns.append(query["search.id"])
        found = [id for id in ids if re.search(query["search.id"], id)]
        return [{"id": id} for id in found[:PAGE_SIZE]], len(found)

    groups = list(by_id.all_groups(search))
    assert {user["id"] for group in groups for user in group.users} == set(ids)
    # A list has 50 pages.
    assert len(patterns) < 250


def test_distinct_ids_are_counted() -> None:
    distinct = Distinct()
    distinct.add(["a", "b"])
    distinct.add(["b", "c"])
    assert (len(distinct), distinct.count()) == (4, 3)


def test_holders_of_roles_with_equal_times_are_all_listed(logto: Emulator, command: Command) -> None:
    logto.tenant.add_role("reader")
    inserted_users(logto, 300, roles=["reader"])
    command("logto_sync", "--create")
    assert LogtoIdentity.objects.filter(roles=["reader"]).count() == 300


def test_known_holders_of_roles_with_equal_times_get_their_roles(logto: Emulator, command: Command) -> None:
    all_subs = inserted_users(logto, 300)
    command("logto_sync", "--create")
    logto.tenant.add_role("reader")
    for sub in all_subs:
        logto.tenant.update_user(sub, roles=["reader"])
    assert command("logto_sync") == "updated: 300\n"
    assert LogtoIdentity.objects.filter(roles=["reader"]).count() == 300


def test_role_without_users_needs_no_request(logto: Emulator, command: Command) -> None:
    role = logto.tenant.add_role("nobody")
    logto.tenant.add_user(username="reader")
    command("logto_sync", "--create")
    assert not [each for each in logto.requests if each.path == f"/api/roles/{role.id}/users"]


def test_role_that_was_not_listed_is_not_removed(logto: Emulator, command: Command) -> None:
    for role in ("listed", "not listed", "deleted"):
        logto.tenant.add_role(role)
    logto.tenant.add_user(username="reader", roles=["listed", "not listed", "deleted"])
    command("logto_sync", "--create")
    logto.tenant.delete_role(logto.tenant.find_role("deleted"))
    command("logto_sync", "--prepare")
    # As if the role had moved to another page.
    SyncNote.objects.filter(role="not listed").delete()
    command("logto_sync", "--page-range", "1-1")
    assert LogtoIdentity.objects.get().roles == ["listed", "not listed"]


def test_deleted_role_needs_one_request_for_many_users(logto: Emulator, command: Command) -> None:
    role = logto.tenant.add_role("deleted")
    for number in range(150):
        logto.tenant.add_user(username=f"reader{number}", roles=["deleted"])
    command("logto_sync", "--create")
    logto.tenant.delete_role(role)
    logto.requests.clear()
    assert command("logto_sync") == "updated: 150\n"
    # The count, the list, and the search for the role.
    assert len([each for each in logto.requests if each.path == "/api/roles"]) == 3
    assert not [each for each in logto.requests if each.path.startswith("/api/users/")]


def test_organization_that_was_not_listed_is_not_removed(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "urn:logto:scope:organizations")
    organizations = [logto.tenant.add_organization(name).id for name in ("Listed", "Not listed", "Deleted")]
    sub = logto.tenant.add_user(username="reader").id
    for id in organizations:
        logto.tenant.add_member(id, sub)
    command("logto_sync", "--create")
    logto.tenant.delete_organization(organizations[2])
    command("logto_sync", "--prepare")
    SyncNote.objects.filter(organization=organizations[1]).delete()
    command("logto_sync", "--page-range", "1-1")
    memberships = LogtoIdentity.objects.get().memberships.values_list("organization__logto_id", flat=True)
    assert set(memberships) == set(organizations[:2])


def test_page_that_completes_the_number_is_the_last_one(logto: Emulator, command: Command) -> None:
    for number in range(100):
        logto.tenant.add_user(username=f"reader{number}")
    command("logto_sync", "--create")
    assert user_requests(logto) == 3

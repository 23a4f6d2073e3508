"""`manage.py logto_sync` with the emulator."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db.models.signals import post_save
from django.utils.timezone import now

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import SignInRefused
from logto_auth.models import (
    LogtoIdentity,
    LogtoSession,
    Organization,
    OrganizationMembership,
    SyncNote,
    SyncRun,
    UserStatus,
)
from logto_auth.signals import user_created, user_updated
from logto_auth.sync import Report, apply, notes, runs
from logto_auth.sync.runs import RESUMABLE_FOR
from logto_auth.testing import Browser
from logto_auth.users.claims import user_fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()
Command = Callable[..., str]


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str, frozenset[str]]]]:
    """Return the signals that were sent: name, username and what changed."""
    said: list[tuple[str, str, frozenset[str]]] = []

    def on_created(user: Any, claims: Any, **kwargs: Any) -> None:
        said.append(("created", user.username, frozenset()))

    def on_updated(user: Any, claims: Any, changed: frozenset[str], **kwargs: Any) -> None:
        said.append(("updated", user.username, changed))

    user_created.connect(on_created)
    user_updated.connect(on_updated)
    yield said
    user_created.disconnect(on_created)
    user_updated.disconnect(on_updated)


def users_at_logto(logto: Emulator, number: int, **fields: Any) -> list[str]:
    """Create users at Logto, and return their ids."""
    return [
        logto.tenant.add_user(username=f"reader{each}", primary_email=f"reader{each}@example.com", **fields).id
        for each in range(number)
    ]


# Accounts


def test_unknown_users_are_created_only_with_option(logto: Emulator, command: Command) -> None:
    users_at_logto(logto, 3)
    assert command("logto_sync") == "No users to update.\n"
    assert User.objects.count() == 0
    assert command("logto_sync", "--create") == "created: 3\n"
    assert command("logto_sync", "--create") == "unchanged: 3\n"
    assert User.objects.count() == LogtoIdentity.objects.count() == 3


def test_synced_account_equals_account_of_a_sign_in(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin",)
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    for role in ("admin", "editor"):
        logto.tenant.add_role(role)
    for name in ("synced", "signed-in"):
        logto.tenant.add_user(
            username=name.replace("-", "_"),
            primary_email=f"{name}@example.com",
            name="Some Body",
            profile={"givenName": "Some", "familyName": "Body"},
            roles=["admin", "editor"],
        )
    Browser(logto).sign_in("signed_in")
    command("logto_sync", "--create")
    fields = ("first_name", "last_name", "is_staff", "is_superuser", "is_active", "groups__name")
    synced, signed_in = (User.objects.filter(username=name).values(*fields).get() for name in ("synced", "signed_in"))
    assert synced == signed_in
    assert not User.objects.get(username="synced").has_usable_password()
    assert LogtoIdentity.objects.get(user__username="synced").roles == ["admin", "editor"]


def test_synced_user_signs_in_to_same_account(logto: Emulator, command: Command) -> None:
    users_at_logto(logto, 1)
    command("logto_sync", "--create")
    browser = Browser(logto)
    browser.sign_in("reader0")
    assert browser.client.get("/").wsgi_request.user == User.objects.get()


def test_only_changed_fields_are_updated(logto: Emulator, command: Command, heard) -> None:
    first, _ = users_at_logto(logto, 2)
    command("logto_sync", "--create")
    User.objects.update(password="kept")
    heard.clear()
    logto.tenant.update_user(first, primary_email="new@example.com", username="renamed")
    assert command("logto_sync") == "updated: 1, unchanged: 1\n"
    user = User.objects.get(logto_identities__sub=first)
    assert (user.username, user.email, user.password) == ("reader0", "new@example.com", "kept")
    assert heard == [("updated", "reader0", frozenset({"email"}))]


def test_several_pages_of_users_are_synced(logto: Emulator, command: Command, heard) -> None:
    users_at_logto(logto, 250)
    assert command("logto_sync", "--create") == "created: 250\n"
    assert len(heard) == 250
    assert command("logto_sync") == "unchanged: 250\n"


def test_user_without_username_gets_sub_as_username(logto: Emulator, command: Command) -> None:
    subs = {logto.tenant.add_user(primary_email=f"{number}@example.com").id for number in range(3)}
    assert command("logto_sync", "--create") == "created: 3\n"
    assert set(User.objects.values_list("username", flat=True)) == subs


def test_taken_username_is_replaced_and_reported(logto: Emulator, command: Command) -> None:
    local = User.objects.create_user("Reader0", "own@example.com")
    (sub,) = users_at_logto(logto, 1)
    output = command("logto_sync", "--create")
    assert f"{sub}: username 'reader0' is not available; the account gets 'reader0-{sub}'" in output
    assert "created: 1, conflicts: 1" in output
    assert User.objects.get(logto_identities__sub=sub).username == f"reader0-{sub}"
    local.refresh_from_db()
    assert local.username == "Reader0"


def test_two_users_of_a_page_get_different_usernames(logto: Emulator, command: Command) -> None:
    logto.tenant.add_user(username="reader")
    logto.tenant.add_user(username="READER")
    assert "created: 2, conflicts: 1" in command("logto_sync", "--create")
    assert User.objects.count() == 2


def test_bulk_writes_send_django_signals(logto: Emulator, command: Command) -> None:
    saved = []

    def on_saved(instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
        saved.append((instance.pk is not None, created, update_fields))

    post_save.connect(on_saved, sender=User)
    try:
        (sub,) = users_at_logto(logto, 1)
        command("logto_sync", "--create")
        logto.tenant.update_user(sub, primary_email="new@example.com")
        command("logto_sync")
    finally:
        post_save.disconnect(on_saved, sender=User)
    assert saved == [(True, True, None), (True, False, frozenset({"email"}))]


def refuse_second(claims: Any) -> dict[str, Any]:
    if claims["username"] == "reader1":
        raise SignInRefused("Not this one.")
    return user_fields(claims)


def test_user_refused_by_site_is_skipped_and_reported(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.refuse_second"
    _, sub = users_at_logto(logto, 2)
    output = command("logto_sync", "--create")
    assert f"{sub}: refused by LOGTO_USER_FIELDS: Not this one. (refused_by_site)" in output
    assert "created: 1, refused: 1" in output


def test_refused_user_is_deactivated_when_suspended(logto: Emulator, command: Command, settings) -> None:
    _, sub = users_at_logto(logto, 2)
    command("logto_sync", "--create")
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.refuse_second"
    logto.tenant.suspend_user(sub)
    assert "unchanged: 1, deactivated: 1, refused: 1\n" in command("logto_sync")
    assert not User.objects.get(logto_identities__sub=sub).is_active


def too_much_for_the_column(claims: Any) -> dict[str, Any]:
    # Not a string, so it is not fitted to the field.
    return {
        **user_fields(claims),
        "date_joined": "yesterday" if claims["username"] == "reader1" else "2026-01-01 00:00Z",
    }


def test_invalid_user_does_not_block_other_users(logto: Emulator, command: Command, settings, heard) -> None:
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.too_much_for_the_column"
    users_at_logto(logto, 3)
    output = command("logto_sync", "--create")
    assert "created: 2, refused: 1" in output
    assert "account_incomplete" in output
    assert sorted(heard) == [("created", "reader0", frozenset()), ("created", "reader2", frozenset())]


def vouch(claims: Any) -> bool:
    return True


def test_sync_links_by_email_as_a_sign_in_does(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_LINK_BY_EMAIL = "tests.sync.test_logto_sync.vouch"
    local = User.objects.create_user("customer", "Reader0@example.com", "password")
    first, _ = users_at_logto(logto, 2)
    assert command("logto_sync") == "No users to update.\n"
    assert command("logto_sync", "--create") == "created: 1, linked: 1\n"
    assert LogtoIdentity.objects.get(sub=first).user == local


# Status


def test_suspended_user_is_deactivated_and_later_reactivated(logto: Emulator, command: Command) -> None:
    (sub,) = users_at_logto(logto, 1)
    Browser(logto).sign_in("reader0")
    logto.tenant.suspend_user(sub)
    assert command("logto_sync") == "unchanged: 1, deactivated: 1\n"
    assert not User.objects.get().is_active
    assert LogtoSession.objects.count() == 0
    assert command("logto_sync") == "unchanged: 1\n"
    logto.clock.advance(1)
    logto.tenant.suspend_user(sub, is_suspended=False)
    assert command("logto_sync") == "unchanged: 1, reactivated: 1\n"
    assert User.objects.get().is_active


def test_account_deactivated_by_staff_stays_inactive(logto: Emulator, command: Command) -> None:
    (sub,) = users_at_logto(logto, 1)
    command("logto_sync", "--create")
    User.objects.update(is_active=False)
    logto.tenant.suspend_user(sub)
    command("logto_sync")
    logto.clock.advance(1)
    logto.tenant.suspend_user(sub, is_suspended=False)
    command("logto_sync")
    assert not User.objects.get().is_active


def test_suspended_unknown_user_gets_no_account(logto: Emulator, command: Command) -> None:
    (sub,) = users_at_logto(logto, 1, is_suspended=True)
    assert command("logto_sync", "--create") == (
        "unknown: 1\nUnknown are users of Logto who have no account here: all are suspended there. -v 2 names them.\n"
    )
    name = logto.tenant.users[sub].username
    assert f"{sub} ({name}): suspended at Logto, so no account is created\n" in command(
        "logto_sync", "--create", "--verbosity", "2"
    )
    assert User.objects.count() == 0


def test_deleted_user_is_deactivated_after_lookup_by_id(logto: Emulator, command: Command) -> None:
    first, second = users_at_logto(logto, 2)
    command("logto_sync", "--create")
    logto.tenant.delete_user(first)
    logto.requests.clear()
    output = command("logto_sync")
    assert f"{first}: deleted at Logto" in output
    assert "unchanged: 1, deactivated: 1" in output
    assert ("GET", f"/api/users/{first}") in [(each.method, each.path) for each in logto.requests]
    assert LogtoIdentity.objects.get(sub=first).status == UserStatus.DELETED
    assert User.objects.get(logto_identities__sub=first).is_active is False
    assert User.objects.get(logto_identities__sub=second).is_active is True
    assert command("logto_sync") == "unchanged: 1\n"


def test_unlisted_users_are_synced_by_id(logto: Emulator, command: Command) -> None:
    first, second = users_at_logto(logto, 2)
    command("logto_sync", "--create")
    logto.tenant.update_user(first, primary_email="new@example.com")
    logto.tenant.delete_user(second)
    command("logto_sync", "--prepare")
    # No page is synced, as if their rows had moved between pages.
    assert "updated: 1, deactivated: 1" in command("logto_sync", "--finish")
    assert User.objects.get(logto_identities__sub=first).email == "new@example.com"
    assert not User.objects.get(logto_identities__sub=second).is_active


def test_error_of_logto_deactivates_no_user(logto: Emulator, command: Command) -> None:
    users_at_logto(logto, 1)
    command("logto_sync", "--create")
    command("logto_sync", "--prepare")
    logto.faults.http["management_api"] = HttpFault(status=403, body=b'{"code": "auth.forbidden"}')
    with pytest.raises(CommandError, match=r"auth\.forbidden"):
        command("logto_sync", "--finish")
    assert User.objects.get().is_active


def test_site_with_few_users_asks_by_id(logto: Emulator, command: Command) -> None:
    *_, sub = users_at_logto(logto, 10)
    Browser(logto).sign_in("reader9")
    logto.tenant.update_user(sub, primary_email="new@example.com")
    logto.requests.clear()
    assert command("logto_sync") == "updated: 1\n"
    listed = [each for each in logto.requests if each.path == "/api/users" and each.query.get("page_size") == ["100"]]
    assert [each.query["search.id"] for each in listed] == [[sub]]


# Roles and organizations


def test_roles_update_flags_groups_and_identity(logto: Emulator, command: Command, settings, heard) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin",)
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors", "writer": "Writers"}
    for role in ("admin", "editor", "writer"):
        logto.tenant.add_role(role)
    first, second = users_at_logto(logto, 2)
    command("logto_sync", "--create")
    other = Group.objects.create(name="Not Logto's")
    User.objects.get(username="reader0").groups.add(other)
    logto.tenant.update_user(first, roles=["admin", "editor"])
    logto.tenant.update_user(second, roles=["writer"])
    heard.clear()
    logto.requests.clear()
    assert command("logto_sync") == "updated: 2\n"
    assert not [each for each in logto.requests if each.path.startswith(f"/api/users/{first}")]
    user = User.objects.get(username="reader0")
    assert user.is_staff
    assert set(user.groups.values_list("name", flat=True)) == {"Editors", "Not Logto's"}
    assert LogtoIdentity.objects.get(sub=first).roles == ["admin", "editor"]
    assert sorted(heard) == [
        ("updated", "reader0", frozenset({"is_staff", "groups", "roles"})),
        ("updated", "reader1", frozenset({"groups", "roles"})),
    ]
    logto.tenant.update_user(first, roles=[])
    assert command("logto_sync") == "updated: 1, unchanged: 1\n"
    user = User.objects.get(username="reader0")
    assert not user.is_staff
    assert set(user.groups.values_list("name", flat=True)) == {"Not Logto's"}


def test_several_pages_of_role_holders_are_synced(logto: Emulator, command: Command) -> None:
    logto.tenant.add_role("reader")
    users_at_logto(logto, 150, roles=["reader"])
    command("logto_sync", "--create")
    assert [identity.roles for identity in LogtoIdentity.objects.all()] == [["reader"]] * 150


def test_data_outside_the_scopes_is_not_requested(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    settings.LOGTO_STAFF_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    organization = logto.tenant.add_organization("Branch")
    (sub,) = users_at_logto(logto, 1, roles=["admin"])
    logto.tenant.add_member(organization.id, sub)
    command("logto_sync", "--create")
    user = User.objects.get()
    assert (user.username, user.email, user.is_staff) == ("reader0", "", False)
    assert Organization.objects.count() == 0
    assert not [each for each in logto.requests if each.path in {"/api/roles", "/api/organizations"}]


@pytest.fixture
def with_organizations(settings) -> None:
    settings.LOGTO_SCOPES = (
        *settings.LOGTO_SCOPES,
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
    )


def memberships() -> set[tuple[str, str, tuple[str, ...]]]:
    rows = OrganizationMembership.objects.select_related("organization", "identity__user")
    return {(row.organization.name, row.identity.user.username, tuple(row.roles)) for row in rows}


@pytest.mark.usefixtures("with_organizations")
def test_organization_names_members_and_roles_are_synced(logto: Emulator, command: Command) -> None:
    for role in ("manager", "clerk"):
        logto.tenant.add_organization_role(role)
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    first, second = users_at_logto(logto, 2)
    logto.tenant.add_member(north.id, first, roles=["manager", "clerk"])
    logto.tenant.add_member(south.id, first)
    logto.tenant.add_member(south.id, second, roles=["clerk"])
    command("logto_sync", "--create")
    assert memberships() == {
        ("North", "reader0", ("clerk", "manager")),
        ("South", "reader0", ()),
        ("South", "reader1", ("clerk",)),
    }
    assert command("logto_sync") == "unchanged: 2\n"
    north.name = "Far north"
    del south.members[first]
    south.members[second] = ["manager"]
    assert command("logto_sync") == "updated: 2\n"
    assert memberships() == {("Far north", "reader0", ("clerk", "manager")), ("South", "reader1", ("manager",))}


@pytest.mark.usefixtures("with_organizations")
def test_only_organizations_of_known_users_get_rows(logto: Emulator, command: Command) -> None:
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    first, second = users_at_logto(logto, 2)
    logto.tenant.add_member(north.id, first)
    logto.tenant.add_member(south.id, second)
    Browser(logto).sign_in("reader0")
    command("logto_sync")
    assert memberships() == {("North", "reader0", ())}
    assert Organization.objects.count() == 1


@pytest.mark.usefixtures("with_organizations")
def test_synced_membership_equals_membership_of_a_sign_in(logto: Emulator, command: Command) -> None:
    logto.tenant.add_organization_role("manager")
    north = logto.tenant.add_organization("North")
    (sub,) = users_at_logto(logto, 1)
    logto.tenant.add_member(north.id, sub, roles=["manager"])
    Browser(logto).sign_in("reader0")
    # Only the name changes: sign-ins have none without organization_data.
    assert command("logto_sync") == "unchanged: 1\n"
    assert memberships() == {("North", "reader0", ("manager",))}


@pytest.mark.usefixtures("with_organizations")
def test_user_missing_in_list_loses_nothing(logto: Emulator, command: Command) -> None:
    for role in ("reader", "editor"):
        logto.tenant.add_role(role)
    logto.tenant.add_organization_role("manager")
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    slipped, lost = users_at_logto(logto, 2, roles=["reader", "editor"])
    for sub in (slipped, lost):
        logto.tenant.add_member(north.id, sub, roles=["manager"])
        logto.tenant.add_member(south.id, sub)
    command("logto_sync", "--create")
    command("logto_sync", "--prepare")
    # As if all their rows had moved between pages.
    SyncNote.objects.exclude(digest="").delete()
    logto.tenant.update_user(lost, roles=["reader"])
    del north.members[lost]
    assert command("logto_sync", "--page-range", "1-1") == "updated: 1, unchanged: 1\n"
    assert LogtoIdentity.objects.get(sub=slipped).roles == ["editor", "reader"]
    assert LogtoIdentity.objects.get(sub=lost).roles == ["reader"]
    assert memberships() == {
        ("North", "reader0", ("manager",)),
        ("South", "reader0", ()),
        ("South", "reader1", ()),
    }


def test_role_deleted_at_logto_is_removed_without_requests(logto: Emulator, command: Command) -> None:
    role = logto.tenant.add_role("reader")
    users_at_logto(logto, 3, roles=["reader"])
    command("logto_sync", "--create")
    logto.tenant.delete_role(role)
    logto.requests.clear()
    assert command("logto_sync") == "updated: 3\n"
    assert not [each for each in logto.requests if each.path.startswith("/api/users/")]


# Dry run


@pytest.mark.usefixtures("with_organizations")
def test_dry_run_reports_and_changes_nothing(logto: Emulator, command: Command, settings, heard) -> None:
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    logto.tenant.add_role("editor")
    known, gone, unchanged = users_at_logto(logto, 3)
    command("logto_sync", "--create")
    logto.tenant.add_user(username="new")
    logto.tenant.update_user(known, primary_email="new@example.com", roles=["editor"], is_suspended=True)
    logto.tenant.delete_user(gone)
    logto.tenant.add_member(logto.tenant.add_organization("North").id, unchanged)
    before = everything()
    heard.clear()
    output = command("logto_sync", "--create", "--dry-run")
    assert "created: 1, updated: 2, deactivated: 2\nNothing was changed (--dry-run).\n" in output
    assert (everything(), heard) == (before, [])
    assert SyncNote.objects.count() == 0
    assert "created: 1, updated: 2, deactivated: 2\n" in command("logto_sync", "--create")
    assert everything() != before


def everything() -> list[list[Any]]:
    models = (User, Group, User.groups.through, LogtoIdentity, Organization, OrganizationMembership)
    rows = [list(model.objects.order_by("pk").values()) for model in models]
    # A run may change its own marker.
    return [[{**row, "seen_in_run": None} for row in rows_of_one] for rows_of_one in rows]


# Interrupted runs and parts of runs


def test_interrupted_run_is_resumed(logto: Emulator, command: Command) -> None:
    users_at_logto(logto, 1250)
    run_into_a_failure(logto, command)
    assert User.objects.count() == 1000
    logto.requests.clear()
    output = command("logto_sync", "--create")
    assert "Resuming the run of" in output
    assert "created: 1,250" in output
    listed = [each.query["page"] for each in logto.requests if each.query.get("page_size") == ["100"]]
    assert listed == [["11"], ["12"], ["13"]]


def run_into_a_failure(logto: Emulator, command: Command) -> None:
    """Sync with a Logto that fails after the first thousand users."""

    def fail_from_then_on(user: Any, **kwargs: Any) -> None:
        logto.faults.http["management_api"] = HttpFault(status=403)

    user_created.connect(fail_from_then_on)
    try:
        with pytest.raises(CommandError):
            command("logto_sync", "--create")
    finally:
        user_created.disconnect(fail_from_then_on)
        logto.faults.clear()


def ask_for_a_new_run() -> list[str]:
    return ["--restart"]


def let_time_pass() -> list[str]:
    SyncRun.objects.update(started_at=now() - RESUMABLE_FOR)
    return []


@pytest.mark.parametrize("make_it_so", [ask_for_a_new_run, let_time_pass])
def test_run_restarts_if_requested_or_too_old(
    make_it_so: Callable[[], list[str]], logto: Emulator, command: Command
) -> None:
    users_at_logto(logto, 1050)
    run_into_a_failure(logto, command)
    assert command("logto_sync", "--create", *make_it_so()) == "created: 50, unchanged: 1,000\n"
    assert SyncRun.objects.filter(finished_at=None).count() == SyncNote.objects.count() == 0


def test_run_can_be_split_by_page_ranges(logto: Emulator, command: Command) -> None:
    logto.tenant.add_role("reader")
    users_at_logto(logto, 250, roles=["reader"])
    assert "Ready for --page-range (pages 1-3), then --finish." in command("logto_sync", "--create", "--prepare")
    assert command("logto_sync", "--create", "--page-range", "2-9") == "created: 150\n"
    assert command("logto_sync", "--create", "--page-range", "1-1") == "created: 100\n"
    assert command("logto_sync", "--create", "--finish") == "No users to update.\n"
    assert {tuple(roles) for roles in LogtoIdentity.objects.values_list("roles", flat=True)} == {("reader",)}
    assert SyncRun.objects.filter(finished_at=None).count() == SyncNote.objects.count() == 0


def test_part_without_run_names_prepare_option(command: Command) -> None:
    for arguments in (["--page-range", "1-2"], ["--finish"]):
        with pytest.raises(CommandError, match="--prepare"):
            command("logto_sync", *arguments)


@pytest.mark.parametrize("text", ["1", "2-1", "0-3", "a-b", "1-"])
def test_invalid_page_range_is_refused(text: str, command: Command) -> None:
    with pytest.raises(CommandError, match="such as 1-500"):
        command("logto_sync", "--page-range", text)


def test_incomplete_lists_are_refused(logto: Emulator, command: Command) -> None:
    """Users who are missing in the lists would lose every role."""
    logto.tenant.add_role("reader")
    users_at_logto(logto, 1, roles=["reader"])
    command("logto_sync", "--create")
    run = runs.start_or_resume()
    with pytest.raises(runs.NotListed):
        apply.sync_pages(run, range(1, 2), management_api(), Report())
    notes.list_roles_and_organizations(run, management_api(), Report())
    # Another process ends the run before this one has synced its page.
    runs.end(SyncRun.objects.get(pk=run.pk))
    with pytest.raises(runs.RunEnded):
        apply.sync_pages(run, range(1, 2), management_api(), Report())
    assert LogtoIdentity.objects.get().roles == ["reader"]


def test_sign_in_during_run_is_not_overwritten(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    logto.tenant.add_role("editor")
    command("logto_sync", "--prepare")
    users_at_logto(logto, 1, roles=["editor"])
    Browser(logto).sign_in("reader0")
    command("logto_sync", "--page-range", "1-1")
    command("logto_sync", "--finish")
    assert User.objects.get().groups.get().name == "Editors"


# Costs


def test_query_count_does_not_depend_on_page_size(
    logto: Emulator, command: Command, django_assert_max_num_queries
) -> None:
    logto.tenant.add_role("reader")
    users_at_logto(logto, 100, roles=["reader"])
    with django_assert_max_num_queries(40):
        command("logto_sync", "--create")
    for user in list(logto.tenant.users.values()):
        logto.tenant.update_user(user.id, primary_email=f"new-{user.username}@example.com")
    with django_assert_max_num_queries(40):
        assert command("logto_sync") == "updated: 100\n"


def test_requests_are_limited_by_rate(logto: Emulator, command: Command) -> None:
    users_at_logto(logto, 1)
    began_at = time.monotonic()
    command("logto_sync", "--create", "--rate", "20")
    # The first request does not wait; a role, a count and two pages follow.
    assert time.monotonic() - began_at >= 3 / 20


@pytest.mark.parametrize(
    ("resource", "wanted", "expected"),
    [
        ("https://default.logto.app/api", None, None),
        ("https://abc123.logto.app/api", None, 18),
        ("https://abc123.logto.app/api", 5, 5),
        ("https://default.logto.app/api", 5, 5),
    ],
)
def test_default_rate_is_limited_for_logto_cloud(
    resource: str, wanted: float | None, expected: float | None, settings
) -> None:
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "machine", "secret"
    settings.LOGTO_MANAGEMENT_API_RESOURCE = resource
    assert management_api().limit_batch(wanted) == expected


# Output


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_bar_is_shown_on_terminals_only(logto: Emulator) -> None:
    users_at_logto(logto, 120)
    terminal, file = Terminal(), StringIO()
    call_command("logto_sync", "--create", stdout=StringIO(), stderr=terminal)
    call_command("logto_sync", "--create", stdout=StringIO(), stderr=file)
    assert "users         [##############################] 120 of 120" in terminal.getvalue()
    assert file.getvalue() == ""


def test_missing_application_settings_are_named(logto: Emulator, settings) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    with pytest.raises(CommandError, match="LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET must be set"):
        call_command("logto_sync")

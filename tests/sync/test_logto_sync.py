"""`manage.py logto_sync` against the emulator: by the rules of a sign-in, a hundred people at a time."""

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
from logto_auth.sync import Report, notes, runs
from logto_auth.sync import people as people_of
from logto_auth.sync.pace import requests_per_second
from logto_auth.sync.runs import RESUMABLE_FOR
from logto_auth.testing import Browser
from logto_auth.users.claims import user_fields

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()
Command = Callable[..., str]


@pytest.fixture
def heard() -> Iterator[list[tuple[str, str, frozenset[str]]]]:
    """What was said by the signals, to whom, of what."""
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


def people(logto: Emulator, number: int, **fields: Any) -> list[str]:
    """Make readers at Logto, and return their ids."""
    return [
        logto.tenant.add_user(username=f"reader{each}", primary_email=f"reader{each}@example.com", **fields).id
        for each in range(number)
    ]


# Accounts


def test_people_who_are_unknown_here_stay_so_unless_accounts_are_asked_for(logto: Emulator, command: Command) -> None:
    people(logto, 3)
    assert command("logto_sync") == "Nobody to bring up to date.\n"
    assert User.objects.count() == 0
    assert command("logto_sync", "--create") == "created: 3\n"
    assert command("logto_sync", "--create") == "unchanged: 3\n"
    assert User.objects.count() == LogtoIdentity.objects.count() == 3


def test_a_synced_account_is_the_one_that_a_sign_in_would_have_made(
    logto: Emulator, command: Command, settings
) -> None:
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


def test_whoever_was_synced_signs_in_to_the_same_account(logto: Emulator, command: Command) -> None:
    people(logto, 1)
    command("logto_sync", "--create")
    browser = Browser(logto)
    browser.sign_in("reader0")
    assert browser.client.get("/").wsgi_request.user == User.objects.get()


def test_what_has_changed_at_logto_changes_here_and_nothing_else(logto: Emulator, command: Command, heard) -> None:
    first, _ = people(logto, 2)
    command("logto_sync", "--create")
    User.objects.update(last_name="kept")
    heard.clear()
    logto.tenant.update_user(first, primary_email="new@example.com", username="renamed")
    assert command("logto_sync") == "updated: 1, unchanged: 1\n"
    user = User.objects.get(logto_identities__sub=first)
    assert (user.username, user.email, user.last_name) == ("reader0", "new@example.com", "kept")
    assert heard == [("updated", "reader0", frozenset({"email"}))]


def test_more_than_a_page_of_people(logto: Emulator, command: Command, heard) -> None:
    people(logto, 250)
    assert command("logto_sync", "--create") == "created: 250\n"
    assert len(heard) == 250
    assert command("logto_sync") == "unchanged: 250\n"


def test_people_without_a_username_get_their_id_for_one(logto: Emulator, command: Command) -> None:
    subs = {logto.tenant.add_user(primary_email=f"{number}@example.com").id for number in range(3)}
    assert command("logto_sync", "--create") == "created: 3\n"
    assert set(User.objects.values_list("username", flat=True)) == subs


def test_a_username_that_somebody_has_is_not_given_away_and_is_named(logto: Emulator, command: Command) -> None:
    local = User.objects.create_user("Reader0", "own@example.com")
    (sub,) = people(logto, 1)
    output = command("logto_sync", "--create")
    assert f"{sub}: username 'reader0' cannot be had here; the account gets 'reader0-{sub}'" in output
    assert "created: 1, conflicts: 1" in output
    assert User.objects.get(logto_identities__sub=sub).username == f"reader0-{sub}"
    local.refresh_from_db()
    assert local.username == "Reader0"


def test_two_people_of_one_page_never_get_one_username(logto: Emulator, command: Command) -> None:
    logto.tenant.add_user(username="reader")
    logto.tenant.add_user(username="READER")
    assert "created: 2, conflicts: 1" in command("logto_sync", "--create")
    assert User.objects.count() == 2


def test_django_s_own_signals_are_sent_for_accounts_made_in_bulk(logto: Emulator, command: Command) -> None:
    saved = []

    def on_saved(instance: Any, created: bool, update_fields: Any, **kwargs: Any) -> None:
        saved.append((instance.pk is not None, created, update_fields))

    post_save.connect(on_saved, sender=User)
    try:
        (sub,) = people(logto, 1)
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


def test_whom_the_site_s_own_function_refuses_is_left_alone_and_named(
    logto: Emulator, command: Command, settings
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.refuse_second"
    _, sub = people(logto, 2)
    output = command("logto_sync", "--create")
    assert f"{sub}: refused by LOGTO_USER_FIELDS: Not this one. (refused_by_site)" in output
    assert "created: 1, refused: 1" in output


def test_whoever_is_refused_is_out_all_the_same_when_suspended(logto: Emulator, command: Command, settings) -> None:
    _, sub = people(logto, 2)
    command("logto_sync", "--create")
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.refuse_second"
    logto.tenant.suspend_user(sub)
    assert "unchanged: 1, deactivated: 1, refused: 1\n" in command("logto_sync")
    assert not User.objects.get(logto_identities__sub=sub).is_active


def too_much_for_the_column(claims: Any) -> dict[str, Any]:
    # Not a text, so that nothing makes it fit.
    return {
        **user_fields(claims),
        "date_joined": "yesterday" if claims["username"] == "reader1" else "2026-01-01 00:00Z",
    }


def test_one_person_whom_the_database_does_not_take_keeps_no_other_from_it(
    logto: Emulator, command: Command, settings, heard
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.sync.test_logto_sync.too_much_for_the_column"
    people(logto, 3)
    output = command("logto_sync", "--create")
    assert "created: 2, refused: 1" in output
    assert "account_incomplete" in output
    assert sorted(heard) == [("created", "reader0", frozenset()), ("created", "reader2", frozenset())]


def vouch(claims: Any) -> bool:
    return True


def test_accounts_are_linked_by_email_where_a_sign_in_would_link_them(
    logto: Emulator, command: Command, settings
) -> None:
    settings.LOGTO_LINK_BY_EMAIL = "tests.sync.test_logto_sync.vouch"
    local = User.objects.create_user("customer", "Reader0@example.com", "password")
    first, _ = people(logto, 2)
    assert command("logto_sync") == "Nobody to bring up to date.\n"
    assert command("logto_sync", "--create") == "created: 1, linked: 1\n"
    assert LogtoIdentity.objects.get(sub=first).user == local


# Suspended and deleted


def test_whoever_is_suspended_is_out_and_comes_back_when_that_is_lifted(logto: Emulator, command: Command) -> None:
    (sub,) = people(logto, 1)
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


def test_whoever_was_switched_off_by_hand_stays_off(logto: Emulator, command: Command) -> None:
    (sub,) = people(logto, 1)
    command("logto_sync", "--create")
    User.objects.update(is_active=False)
    logto.tenant.suspend_user(sub)
    command("logto_sync")
    logto.clock.advance(1)
    logto.tenant.suspend_user(sub, is_suspended=False)
    command("logto_sync")
    assert not User.objects.get().is_active


def test_whoever_is_suspended_gets_no_account(logto: Emulator, command: Command) -> None:
    people(logto, 1, is_suspended=True)
    assert command("logto_sync", "--create") == "unknown: 1\n"
    assert User.objects.count() == 0


def test_whoever_was_deleted_is_out_once_logto_says_that_there_is_nobody(logto: Emulator, command: Command) -> None:
    first, second = people(logto, 2)
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


def test_whom_no_page_had_is_asked_for_by_id_and_brought_up_to_date(logto: Emulator, command: Command) -> None:
    first, second = people(logto, 2)
    command("logto_sync", "--create")
    logto.tenant.update_user(first, primary_email="new@example.com")
    logto.tenant.delete_user(second)
    command("logto_sync", "--prepare")
    # As if their rows had slipped from page to page, always before the count: no page is looked at.
    assert "updated: 1, deactivated: 1" in command("logto_sync", "--finish")
    assert User.objects.get(logto_identities__sub=first).email == "new@example.com"
    assert not User.objects.get(logto_identities__sub=second).is_active


def test_a_logto_that_fails_switches_nobody_off(logto: Emulator, command: Command) -> None:
    people(logto, 1)
    command("logto_sync", "--create")
    command("logto_sync", "--prepare")
    logto.faults.http["management_api"] = HttpFault(status=403, body=b'{"code": "auth.forbidden"}')
    with pytest.raises(CommandError, match=r"auth\.forbidden"):
        command("logto_sync", "--finish")
    assert User.objects.get().is_active


def test_a_site_that_knows_few_of_many_asks_for_those_and_lists_nobody(logto: Emulator, command: Command) -> None:
    *_, sub = people(logto, 10)
    Browser(logto).sign_in("reader9")
    logto.tenant.update_user(sub, primary_email="new@example.com")
    logto.requests.clear()
    assert command("logto_sync") == "updated: 1\n"
    listed = [each for each in logto.requests if each.path == "/api/users" and each.query.get("page_size") == ["100"]]
    assert [each.query["search.id"] for each in listed] == [[sub]]


# Roles and organizations


def test_roles_are_listed_by_role_and_reach_flags_groups_and_the_identity(
    logto: Emulator, command: Command, settings, heard
) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin",)
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors", "writer": "Writers"}
    for role in ("admin", "editor", "writer"):
        logto.tenant.add_role(role)
    first, second = people(logto, 2)
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


def test_more_than_a_page_of_people_have_a_role(logto: Emulator, command: Command) -> None:
    logto.tenant.add_role("reader")
    people(logto, 150, roles=["reader"])
    command("logto_sync", "--create")
    assert [identity.roles for identity in LogtoIdentity.objects.all()] == [["reader"]] * 150


def test_what_a_sign_in_would_not_tell_is_not_asked_for(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    settings.LOGTO_STAFF_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    organization = logto.tenant.add_organization("Branch")
    (sub,) = people(logto, 1, roles=["admin"])
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
def test_organizations_their_names_members_and_roles_follow(logto: Emulator, command: Command) -> None:
    for role in ("manager", "clerk"):
        logto.tenant.add_organization_role(role)
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    first, second = people(logto, 2)
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
def test_only_organizations_of_people_known_here_get_a_row(logto: Emulator, command: Command) -> None:
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    first, second = people(logto, 2)
    logto.tenant.add_member(north.id, first)
    logto.tenant.add_member(south.id, second)
    Browser(logto).sign_in("reader0")
    command("logto_sync")
    assert memberships() == {("North", "reader0", ())}
    assert Organization.objects.count() == 1


@pytest.mark.usefixtures("with_organizations")
def test_a_synced_membership_is_the_one_that_a_sign_in_makes(logto: Emulator, command: Command) -> None:
    logto.tenant.add_organization_role("manager")
    north = logto.tenant.add_organization("North")
    (sub,) = people(logto, 1)
    logto.tenant.add_member(north.id, sub, roles=["manager"])
    Browser(logto).sign_in("reader0")
    # Only the name is news: sign-ins have none without organization_data.
    assert command("logto_sync") == "unchanged: 1\n"
    assert memberships() == {("North", "reader0", ("manager",))}


@pytest.mark.usefixtures("with_organizations")
def test_nobody_loses_anything_for_being_missing_in_a_list(logto: Emulator, command: Command) -> None:
    for role in ("reader", "editor"):
        logto.tenant.add_role(role)
    logto.tenant.add_organization_role("manager")
    north, south = logto.tenant.add_organization("North"), logto.tenant.add_organization("South")
    slipped, lost = people(logto, 2, roles=["reader", "editor"])
    for sub in (slipped, lost):
        logto.tenant.add_member(north.id, sub, roles=["manager"])
        logto.tenant.add_member(south.id, sub)
    command("logto_sync", "--create")
    command("logto_sync", "--prepare")
    # As if all their rows had slipped from page to page while these were counted.
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


def test_a_role_that_is_gone_at_logto_is_lost_without_a_question(logto: Emulator, command: Command) -> None:
    role = logto.tenant.add_role("reader")
    people(logto, 3, roles=["reader"])
    command("logto_sync", "--create")
    logto.tenant.delete_role(role)
    logto.requests.clear()
    assert command("logto_sync") == "updated: 3\n"
    assert not [each for each in logto.requests if each.path.startswith("/api/users/")]


# Trying first


@pytest.mark.usefixtures("with_organizations")
def test_a_dry_run_says_what_would_be_done_and_does_nothing(logto: Emulator, command: Command, settings, heard) -> None:
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    logto.tenant.add_role("editor")
    known, gone, unchanged = people(logto, 3)
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
    # What a run notes for itself is none of the site's.
    return [[{**row, "seen_in_run": None} for row in rows_of_one] for rows_of_one in rows]


# Interrupted, and in parts


def test_a_run_that_was_interrupted_goes_on_where_it_was(logto: Emulator, command: Command) -> None:
    people(logto, 1250)
    run_into_a_failure(logto, command)
    assert User.objects.count() == 1000
    logto.requests.clear()
    output = command("logto_sync", "--create")
    assert "Going on with the run of" in output
    assert "created: 1,250" in output
    listed = [each.query["page"] for each in logto.requests if each.query.get("page_size") == ["100"]]
    assert listed == [["11"], ["12"], ["13"]]


def run_into_a_failure(logto: Emulator, command: Command) -> None:
    """Sync with a Logto that fails after the first thousand people."""

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
def test_a_run_is_begun_anew_when_that_is_asked_for_or_the_old_one_is_too_old(
    make_it_so: Callable[[], list[str]], logto: Emulator, command: Command
) -> None:
    people(logto, 1050)
    run_into_a_failure(logto, command)
    assert command("logto_sync", "--create", *make_it_so()) == "created: 50, unchanged: 1,000\n"
    assert SyncRun.objects.filter(finished_at=None).count() == SyncNote.objects.count() == 0


def test_a_run_can_be_shared_out_by_ranges_of_pages(logto: Emulator, command: Command) -> None:
    logto.tenant.add_role("reader")
    people(logto, 250, roles=["reader"])
    assert "Ready for --page-range, of 1-3 in all" in command("logto_sync", "--create", "--prepare")
    assert command("logto_sync", "--create", "--page-range", "2-9") == "created: 150\n"
    assert command("logto_sync", "--create", "--page-range", "1-1") == "created: 100\n"
    assert command("logto_sync", "--create", "--finish") == "Nobody to bring up to date.\n"
    assert {tuple(roles) for roles in LogtoIdentity.objects.values_list("roles", flat=True)} == {("reader",)}
    assert SyncRun.objects.filter(finished_at=None).count() == SyncNote.objects.count() == 0


def test_a_part_without_a_run_says_how_to_start_one(command: Command) -> None:
    for arguments in (["--page-range", "1-2"], ["--finish"]):
        with pytest.raises(CommandError, match="--prepare"):
            command("logto_sync", *arguments)


@pytest.mark.parametrize("text", ["1", "2-1", "0-3", "a-b", "1-"])
def test_a_range_that_is_none_is_refused(text: str, command: Command) -> None:
    with pytest.raises(CommandError, match="such as 1-500"):
        command("logto_sync", "--page-range", text)


def test_nothing_is_concluded_from_notes_that_are_incomplete(logto: Emulator, command: Command) -> None:
    """Whom the notes do not name would lose every role."""
    logto.tenant.add_role("reader")
    people(logto, 1, roles=["reader"])
    command("logto_sync", "--create")
    run = runs.begin()
    with pytest.raises(runs.NotListed):
        people_of.sync_users_pages(run, range(1, 2), management_api(), Report())
    notes.take_notes(run, management_api(), Report())
    # Another process ends the run while this one has still a page to do.
    runs.end(SyncRun.objects.get(pk=run.pk))
    with pytest.raises(runs.RunOver):
        people_of.sync_users_pages(run, range(1, 2), management_api(), Report())
    assert LogtoIdentity.objects.get().roles == ["reader"]


def test_whoever_comes_during_a_run_keeps_what_they_have_told(logto: Emulator, command: Command, settings) -> None:
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    logto.tenant.add_role("editor")
    command("logto_sync", "--prepare")
    people(logto, 1, roles=["editor"])
    Browser(logto).sign_in("reader0")
    command("logto_sync", "--page-range", "1-1")
    command("logto_sync", "--finish")
    assert User.objects.get().groups.get().name == "Editors"


# What it costs


def test_statements_do_not_grow_with_the_people_on_a_page(
    logto: Emulator, command: Command, django_assert_max_num_queries
) -> None:
    logto.tenant.add_role("reader")
    people(logto, 100, roles=["reader"])
    with django_assert_max_num_queries(40):
        command("logto_sync", "--create")
    for user in list(logto.tenant.users.values()):
        logto.tenant.update_user(user.id, primary_email=f"new-{user.username}@example.com")
    with django_assert_max_num_queries(40):
        assert command("logto_sync") == "updated: 100\n"


def test_requests_are_kept_apart(logto: Emulator, command: Command) -> None:
    people(logto, 1)
    began_at = time.monotonic()
    command("logto_sync", "--create", "--rate", "20")
    # The first is not waited for; a role, a count and two pages come after it.
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
def test_logto_s_cloud_is_asked_no_more_than_it_takes(
    resource: str, wanted: float | None, expected: float | None, settings
) -> None:
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "machine", "secret"
    settings.LOGTO_MANAGEMENT_API_RESOURCE = resource
    assert requests_per_second(management_api(), wanted) == expected


# At the terminal


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_a_bar_and_a_file_sees_none(logto: Emulator) -> None:
    people(logto, 120)
    terminal, file = Terminal(), StringIO()
    call_command("logto_sync", "--create", stdout=StringIO(), stderr=terminal)
    call_command("logto_sync", "--create", stdout=StringIO(), stderr=file)
    assert "users         [##############################] 120 of 120" in terminal.getvalue()
    assert file.getvalue() == ""


def test_without_an_application_of_its_own_the_command_says_which_settings_are_missing(
    logto: Emulator, settings
) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    with pytest.raises(CommandError, match="LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET must be set"):
        call_command("logto_sync")

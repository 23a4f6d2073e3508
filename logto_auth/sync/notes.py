"""The lists of a run: which users hold which roles and belong to which organizations.

They are read role by role and organization by organization, not user by user, and stored as `SyncNote` rows.

Logto's lists are counted in pages, and rows shift when others are deleted meanwhile. So a user who is missing in a list
does not lose the role or the membership yet: `confirm_removals` asks Logto by id first. Few users in a run need that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import reset_queries

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity, Organization, SyncNote, SyncRun, atomic, make_digest
from logto_auth.oidc.claims import is_name, text
from logto_auth.storable import write_storable
from logto_auth.users.provisioning import ORGANIZATIONS_SCOPE, ROLES_SCOPE

from .report import Report
from .runs import ORGANIZATIONS, ROLES, USERS, advance, in_batches, is_past, position_in

Pages = Iterator[list[Any]]

# The digest of a note about a role or an organization itself.
NO_USER = ""


@dataclass
class UserNotes:
    """The roles and organizations that were listed for one user."""

    roles: set[str] = field(default_factory=set)
    organizations: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Role names by organization id."""


@dataclass(frozen=True)
class ListedNames:
    """The names of all roles and the ids of all organizations that Logto had when they were listed."""

    roles: frozenset[str]
    organizations: frozenset[str]


def list_roles_and_organizations(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """List the holders of roles and the members of organizations, each only if the site requests its scope.

    Without the scope, a sign-in does not report them either.
    """
    if ROLES_SCOPE in conf.scopes and not is_past(run, ROLES):
        _list_roles(run, api, report)
    if ORGANIZATIONS_SCOPE in conf.scopes and not is_past(run, ORGANIZATIONS):
        _list_organizations(run, api, report)
    if not is_past(run, ORGANIZATIONS):
        advance(run, USERS, report)


def notes_by_digest(run: SyncRun, digests: Collection[str]) -> Mapping[str, UserNotes]:
    """Return what was listed for these users. One query."""
    notes: defaultdict[str, UserNotes] = defaultdict(UserNotes)
    for digest, organization, role in SyncNote.objects.filter(run=run, digest__in=digests).values_list(
        "digest", "organization", "role"
    ):
        if not organization:
            notes[digest].roles |= {role} - {""}
        else:
            notes[digest].organizations[organization] |= {role} - {""}
    return notes


def listed_names(run: SyncRun) -> ListedNames:
    """Return which roles and organizations were listed. One query."""
    rows = list(SyncNote.objects.filter(run=run, digest=NO_USER).values_list("organization", "role"))
    return ListedNames(
        roles=frozenset(role for organization, role in rows if not organization),
        organizations=frozenset(organization for organization, _ in rows if organization),
    )


def confirm_removals(
    identity: LogtoIdentity, member_of: Iterable[str], notes: UserNotes, listed: ListedNames, api: ManagementAPI
) -> None:
    """Correct the notes of a user who would lose a role or a membership that still exists at Logto.

    `member_of` has the ids of the organizations stored for the user. At most two requests.
    """
    try:
        if (set(identity.roles) & listed.roles) - notes.roles:
            notes.roles = {role["name"] for role in api.users.roles(identity.sub)}
        if (set(member_of) & listed.organizations) - notes.organizations.keys():
            notes.organizations.clear()
            for organization in api.users.organizations(identity.sub):
                names = {role["name"] for role in organization["organizationRoles"]}
                notes.organizations[organization["id"]] = names
    except ManagementAPIError as error:
        # The user was deleted after the page was read. The last stage of the run handles that.
        if error.status != 404:
            raise


# Roles


def _list_roles(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    def pages(*, first_page: int) -> Pages:
        for page in api.roles.pages(first_page=first_page, type="User"):
            names = [each["name"] for each in page if is_name(each["name"])]
            SyncNote.objects.bulk_create([SyncNote(run=run, digest=NO_USER, role=name) for name in names])
            yield page

    def store(role: Any, users: list[Any]) -> None:
        _store_notes(run, "", {user["id"]: [role["name"]] for user in users})

    _walk(run, ROLES, report, total=api.roles.count(type="User"), pages=pages, users=api.roles.user_pages, store=store)


# Organizations


def _list_organizations(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    def pages(*, first_page: int) -> Pages:
        for page in api.organizations.pages(first_page=first_page):
            SyncNote.objects.bulk_create([SyncNote(run=run, digest=NO_USER, organization=each["id"]) for each in page])
            _update_names(run, page)
            yield page

    def store(organization: Any, users: list[Any]) -> None:
        # The empty name is the membership itself.
        roles = {user["id"]: ["", *(role["name"] for role in user["organizationRoles"])] for user in users}
        if _store_notes(run, organization["id"], roles) and not run.creates_users and not run.is_dry:
            Organization.objects.create_missing({organization["id"]: organization["name"]})

    members = api.organizations.user_pages
    _walk(run, ORGANIZATIONS, report, total=api.organizations.count(), pages=pages, users=members, store=store)


def _update_names(run: SyncRun, page: list[Any]) -> None:
    """Store Logto's names of organizations. A run that creates no users creates no rows here: only organizations of
    known users get one."""
    if run.is_dry:
        return
    names = {each["id"]: text(each, "name")[:255] for each in page}
    rows = {row.logto_id: row for row in Organization.objects.for_logto_ids(names)}

    def rename(storable_names: dict[str, str]) -> None:
        renamed = [row for id, row in rows.items() if row.name != storable_names.get(id, row.name)]
        for row in renamed:
            row.name = storable_names[row.logto_id]
        with atomic():
            Organization.objects.bulk_update(renamed, ["name"])

    write_storable({id: name for id, name in names.items() if id in rows and name}, rename)
    if run.creates_users:
        Organization.objects.create_missing({id: name for id, name in names.items() if id not in rows})


# Both


def _walk(
    run: SyncRun,
    stage: str,
    report: Report,
    *,
    total: int,
    pages: Callable[..., Pages],
    users: Callable[..., Pages],
    store: Callable[[Any, list[Any]], None],
) -> None:
    """Call `store` with the users of each role or organization in `pages`, from where the run was interrupted."""
    position = position_in(run, stage)
    for number, items in enumerate(pages(first_page=position.get("page", 1)), position.get("page", 1)):
        # Items that were created at Logto meanwhile are listed before the one that the run had reached.
        ids = [item["id"] for item in items]
        start = ids.index(position["of"]) if position.get("of") in ids else 0
        for count, item in enumerate(items[start:], start + 1):
            is_resumed = item["id"] == position.get("of")
            done_pages = position["user_pages"] if is_resumed else 0
            for size, holders in in_batches(_until_deleted(users(item["id"], first_page=done_pages + 1))):
                done_pages += size
                with atomic():
                    store(item, holders)
                    advance(run, stage, report, page=number, of=item["id"], user_pages=done_pages)
                reset_queries()
            report.progress(stage, (number - 1) * PAGE_SIZE + count, total)


def _until_deleted(pages: Pages) -> Pages:
    """Return the pages; end when their role or organization is deleted."""
    try:
        yield from pages
    except ManagementAPIError as error:
        if error.status != 404:
            raise


def _store_notes(run: SyncRun, organization: str, roles: Mapping[str, list[str]]) -> bool:
    """Store the roles, by `sub`, of users that the run covers; return whether there are any."""
    digests = {make_digest(run.issuer, sub): names for sub, names in roles.items()}
    if not run.creates_users:
        known = LogtoIdentity.objects.filter(digest__in=digests).values_list("digest", flat=True)
        digests = {digest: digests[digest] for digest in known}
    SyncNote.objects.bulk_create(
        [
            SyncNote(run=run, digest=digest, organization=organization, role=name)
            for digest, names in digests.items()
            for name in names
            if not name or is_name(name)
        ]
    )
    return bool(digests)

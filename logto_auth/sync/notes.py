"""The lists of a run: which users hold which roles and belong to which organizations.

They are read role by role and organization by organization, not user by user, and stored as `SyncNote` rows.

Logto's lists are counted in pages, and rows shift when others are deleted meanwhile. So a user who is missing in a list
does not lose the role or the membership yet: `confirm_removals` asks Logto by id first. Few users in a run need that.
The same holds for a role or an organization that is not in the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import reset_queries

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity, Organization, SyncNote, SyncRun, make_digest
from logto_auth.oidc.claims import is_name, text
from logto_auth.storable import write_storable
from logto_auth.transactions import atomic
from logto_auth.users.provisioning import ORGANIZATIONS_SCOPE, ROLES_SCOPE

from .by_id import all_groups
from .listed import Distinct
from .report import Report, report_not_listed
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

    roles: set[str]
    organizations: set[str]
    _unknown: set[tuple[str, str]] = field(default_factory=set)

    def has_role(self, name: str, api: ManagementAPI) -> bool:
        """Return whether Logto has the role. One request for a name that was not listed."""

        def exists() -> bool:
            query: dict[str, str | bool] = {
                "search.name": name,
                "mode.name": "exact",
                "isCaseSensitive": True,
                "type": "User",
            }
            return api.roles.count(**query) > 0

        return name in self.roles or self._ask("role", name, exists)

    def has_organization(self, id: str, api: ManagementAPI) -> bool:
        """Return whether Logto has the organization. One request for an id that was not listed."""

        def exists() -> bool:
            try:
                api.organizations.get(id)
            except ManagementAPIError as error:
                if error.status != 404:
                    raise
                return False
            return True

        return id in self.organizations or self._ask("organization", id, exists)

    def _ask(self, kind: str, key: str, exists: Callable[[], bool]) -> bool:
        if (kind, key) in self._unknown:
            return False
        if exists():
            (self.roles if kind == "role" else self.organizations).add(key)
            return True
        self._unknown.add((kind, key))
        return False


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
        roles={role for organization, role in rows if not organization},
        organizations={organization for organization, _ in rows if organization},
    )


def confirm_removals(
    identity: LogtoIdentity, member_of: Iterable[str], notes: UserNotes, listed: ListedNames, api: ManagementAPI
) -> None:
    """Correct the notes of a user who would lose a role or a membership that still exists at Logto.

    `member_of` has the ids of the organizations stored for the user. At most two requests.
    """
    try:
        if any(listed.has_role(name, api) for name in set(identity.roles) - notes.roles):
            notes.roles = {role["name"] for role in api.users.roles(identity.sub)}
        if any(listed.has_organization(id, api) for id in set(member_of) - notes.organizations.keys()):
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

    def users(role: Any, *, first_page: int) -> Pages:
        return _holder_pages(role, api, report, first_page=first_page)

    count = partial(api.roles.count, type="User")
    _walk(run, ROLES, report, count=count, pages=pages, users=users, store=store)


def _holder_pages(role: Any, api: ManagementAPI, report: Report, *, first_page: int) -> Pages:
    """Yield the holders of a role page by page, then those whom the pages have missed, if there are any."""
    count = role.get("usersCount")
    if count == 0:
        return
    listed = Distinct()
    for page in api.roles.user_pages(role["id"], first_page=first_page):
        listed.add(user["id"] for user in page)
        yield page
    # Who is on two pages has moved another one to none. The number of a resumed list is not known.
    number = max(len(listed), count or 0)
    if number <= PAGE_SIZE or (first_page == 1 and listed.count() == number):
        return
    for group in all_groups(partial(api.roles.first_page_of_users, role["id"])):
        yield group.users
        if not group.is_complete:
            what = f"users of the role {role['name']} whose ids match {group.pattern}"
            report_not_listed(report, group.total - len(group.users), what)


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

    def members(organization: Any, *, first_page: int) -> Pages:
        # Logto sorts members by id.
        return api.organizations.user_pages(organization["id"], first_page=first_page)

    _walk(run, ORGANIZATIONS, report, count=api.organizations.count, pages=pages, users=members, store=store)


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
    count: Callable[[], int],
    pages: Callable[..., Pages],
    users: Callable[..., Pages],
    store: Callable[[Any, list[Any]], None],
) -> None:
    """Call `store` with the users of each role or organization in `pages`, from where the run was interrupted."""
    position, total, seen = position_in(run, stage), count(), Distinct()
    for number, items in enumerate(pages(first_page=position.get("page", 1)), position.get("page", 1)):
        # Items that were created at Logto meanwhile are listed before the one that the run had reached.
        ids = [item["id"] for item in items]
        seen.add(ids)
        start = ids.index(position["of"]) if position.get("of") in ids else 0
        for done, item in enumerate(items[start:], start + 1):
            is_resumed = item["id"] == position.get("of")
            done_pages = position["user_pages"] if is_resumed else 0
            for size, holders in in_batches(_until_deleted(users(item, first_page=done_pages + 1))):
                done_pages += size
                with atomic():
                    store(item, holders)
                    advance(run, stage, report, page=number, of=item["id"], user_pages=done_pages)
                reset_queries()
            report.progress(stage, (number - 1) * PAGE_SIZE + done, total)
    # An object that is changed meanwhile moves to another page. If some were deleted, the number is smaller now.
    if not position.get("page") and seen.count() < total and (missing := count() - seen.count()) > 0:
        report_not_listed(report, missing, stage)


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

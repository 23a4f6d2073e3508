"""Who has which roles, and who belongs to which organizations: by role and by organization, never person by person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import reset_queries, transaction

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import PAGE_SIZE
from logto_auth.models import LogtoIdentity, Organization, SyncNote, SyncRun, make_digest
from logto_auth.oidc.claims import is_name
from logto_auth.users.provisioning import ORGANIZATIONS_SCOPE, ROLES_SCOPE

from .batches import in_batches
from .report import Report
from .runs import ORGANIZATIONS, ROLES, USERS, advance, is_past, position_in

Pages = Iterator[list[Any]]

# What stands in place of a person's digest, where the note is about a role or an organization itself.
NOBODY = ""


@dataclass
class Notes:
    """What was noted about one person."""

    roles: set[str] = field(default_factory=set)
    organizations: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By organization the names of the roles in it."""


def take_notes(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Note who has which roles and belongs to which organizations, as far as the site's scopes go.

    What a sign-in would not tell this site, nothing tells it here either.
    """
    if ROLES_SCOPE in conf.scopes and not is_past(run, ROLES):
        _take_notes_of_roles(run, api, report)
    if ORGANIZATIONS_SCOPE in conf.scopes and not is_past(run, ORGANIZATIONS):
        _take_notes_of_organizations(run, api, report)
    if not is_past(run, ORGANIZATIONS):
        advance(run, USERS, report)


def notes_about(run: SyncRun, digests: Collection[str]) -> Mapping[str, Notes]:
    """What was noted about these people, by digest. One query."""
    notes: defaultdict[str, Notes] = defaultdict(Notes)
    for digest, organization, role in SyncNote.objects.filter(run=run, digest__in=digests).values_list(
        "digest", "organization", "role"
    ):
        if not organization:
            notes[digest].roles |= {role} - {""}
        else:
            notes[digest].organizations[organization] |= {role} - {""}
    return notes


# Roles


def _take_notes_of_roles(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    def pages(*, first_page: int) -> Pages:
        for page in api.roles.pages(first_page=first_page, type="User"):
            _note_what_is_there([SyncNote(run=run, digest=NOBODY, role=each["name"]) for each in page])
            yield page

    def note(role: Any, people: list[Any]) -> None:
        _note(run, "", {user["id"]: [role["name"]] for user in people})

    _walk(run, ROLES, report, total=api.roles.count(type="User"), pages=pages, people=api.roles.user_pages, take=note)


# Organizations


def _take_notes_of_organizations(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    def pages(*, first_page: int) -> Pages:
        for page in api.organizations.pages(first_page=first_page):
            _note_what_is_there([SyncNote(run=run, digest=NOBODY, organization=each["id"]) for each in page])
            _keep_names(run, page)
            yield page

    def note(organization: Any, people: list[Any]) -> None:
        # The empty name is the membership itself.
        roles = {user["id"]: ["", *(role["name"] for role in user["organizationRoles"])] for user in people}
        if _note(run, organization["id"], roles) and not run.creates_users:
            _make(run, [organization])

    members = api.organizations.user_pages
    _walk(run, ORGANIZATIONS, report, total=api.organizations.count(), pages=pages, people=members, take=note)


def _keep_names(run: SyncRun, page: list[Any]) -> None:
    """Have the rows of organizations bear the names that Logto has. Without accounts for all, only those get a row that
    somebody known here belongs to."""
    names = {make_digest(run.issuer, each["id"]): each["name"][:255] for each in page}
    rows = {row.digest: row for row in Organization.objects.filter(digest__in=names)}
    if not run.is_dry:
        renamed = [row for digest, row in rows.items() if row.name != names[digest]]
        for row in renamed:
            row.name = names[row.digest]
        Organization.objects.bulk_update(renamed, ["name"])
    if run.creates_users:
        _make(run, [each for each in page if make_digest(run.issuer, each["id"]) not in rows])


def _make(run: SyncRun, organizations: list[Any]) -> None:
    rows = [
        Organization(
            issuer=run.issuer, logto_id=each["id"], digest=make_digest(run.issuer, each["id"]), name=each["name"][:255]
        )
        for each in organizations
    ]
    if not run.is_dry:
        Organization.objects.bulk_create(rows, ignore_conflicts=True)


# Both


def _walk(
    run: SyncRun,
    stage: str,
    report: Report,
    *,
    total: int,
    pages: Callable[..., Pages],
    people: Callable[..., Pages],
    take: Callable[[Any, list[Any]], None],
) -> None:
    """`take` the people who hold each thing in `pages`, a batch at a time, from where the run was interrupted."""
    position = position_in(run, stage)
    for number, things in enumerate(pages(first_page=position.get("page", 1)), position.get("page", 1)):
        # What has been made at Logto since stands before what the run was at.
        ids = [thing["id"] for thing in things]
        start = ids.index(position["of"]) if position.get("of") in ids else 0
        for count, thing in enumerate(things[start:], start + 1):
            is_resumed = thing["id"] == position.get("of")
            done_pages = position["people_pages"] if is_resumed else 0
            for size, holders in in_batches(_while_there(people(thing["id"], first_page=done_pages + 1))):
                done_pages += size
                with transaction.atomic():
                    take(thing, holders)
                    advance(run, stage, report, page=number, of=thing["id"], people_pages=done_pages)
                reset_queries()
            report.progress(stage, (number - 1) * PAGE_SIZE + count, total)


def _while_there(pages: Pages) -> Pages:
    """The pages, until what they are of is deleted."""
    try:
        yield from pages
    except ManagementAPIError as error:
        if error.status != 404:
            raise


def _note_what_is_there(notes: list[SyncNote]) -> None:
    SyncNote.objects.bulk_create(notes)


def _note(run: SyncRun, organization: str, roles: Mapping[str, list[str]]) -> bool:
    """Note by `sub` the roles of people whom the run is about; returns whether there is any."""
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

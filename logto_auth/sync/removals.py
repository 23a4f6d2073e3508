"""Nobody loses a role or a membership for being missing in a list.

Logto's lists are counted in pages, and rows slip through where others are deleted meanwhile. So Logto is asked, by id,
about whoever is about to lose something that is still there. Those are few in one run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.models import LogtoIdentity, SyncNote, SyncRun

from .notes import NOBODY, Notes


@dataclass(frozen=True)
class There:
    """The roles, by name, and the organizations, by id, that Logto had when they were listed."""

    roles: frozenset[str]
    organizations: frozenset[str]


def what_is_there(run: SyncRun) -> There:
    """What was noted of roles and organizations themselves. One query."""
    rows = list(SyncNote.objects.filter(run=run, digest=NOBODY).values_list("organization", "role"))
    return There(
        roles=frozenset(role for organization, role in rows if not organization),
        organizations=frozenset(organization for organization, _ in rows if organization),
    )


def confirm_losses(
    identity: LogtoIdentity, member_of: Iterable[str], notes: Notes, there: There, api: ManagementAPI
) -> None:
    """Have the notes about a person say what Logto says of them, if they are about to lose something by the lists."""
    try:
        if (set(identity.roles) & there.roles) - notes.roles:
            notes.roles = {role["name"] for role in api.users.roles(identity.sub)}
        if (set(member_of) & there.organizations) - notes.organizations.keys():
            notes.organizations.clear()
            for organization in api.users.organizations(identity.sub):
                names = {role["name"] for role in organization["organizationRoles"]}
                notes.organizations[organization["id"]] = names
    except ManagementAPIError as error:
        # Deleted since the page was read: a matter for the end of the run.
        if error.status != 404:
            raise

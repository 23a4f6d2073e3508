"""The rows that store which users belong to which organizations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership, RowQuerySet
from logto_auth.oidc.types import Claims
from logto_auth.signals import memberships_changed
from logto_auth.storable import write_storable
from logto_auth.transactions import atomic

from .claims import NO_MEMBERSHIP_CHANGES, Membership, MembershipChanges, membership_changes, memberships_in


def fill_in_names(memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
    """Return the memberships with stored names where the claims had none. One query if any name is missing."""
    nameless = [each.id for each in memberships if each.name is None]
    if not nameless:
        return memberships
    names = dict(Organization.objects.for_logto_ids(nameless).values_list("logto_id", "name"))
    return tuple(replace(each, name=each.name or names.get(each.id) or None) for each in memberships)


def membership_claims(identity: LogtoIdentity) -> dict[str, Any]:
    """Return the stored memberships of a user as claims. One query."""
    rows = OrganizationMembership.objects.filter(identity=identity).select_related("organization").order_by("pk")
    organizations = [row.organization for row in rows]
    return {
        "organizations": [each.logto_id for each in organizations],
        "organization_data": [{"id": each.logto_id, "name": each.name} for each in organizations],
        "organization_roles": [f"{row.organization.logto_id}:{role}" for row in rows for role in row.roles],
    }


def save_memberships(identity: LogtoIdentity, claims: Claims) -> MembershipChanges:
    """Store the memberships in `claims`, and return what changed.

    One query if none changed; no query without the claim. Unknown organizations get a row. An organization that a user
    leaves keeps its row, because other rows may refer to it.
    """
    memberships = memberships_in(claims)
    if memberships is None:
        return NO_MEMBERSHIP_CHANGES
    rows = {
        row.organization.logto_id: row
        for row in OrganizationMembership.objects.filter(identity=identity).select_related("organization")
    }
    changes = membership_changes(claims, {id: row.roles for id, row in rows.items()})
    if changes.left:
        OrganizationMembership.objects.filter(pk__in=[rows[id].pk for id in changes.left]).delete()
    if changes.joined:
        _join(identity, changes.joined)
    for id, roles in changes.roles.items():
        OrganizationMembership.objects.filter(pk=rows[id].pk).update(roles=roles)
    for each in memberships:
        if each.id in rows:
            _rename(rows[each.id].organization, each.name)
    return changes


def _join(identity: LogtoIdentity, joined: Collection[Membership]) -> None:
    by_id = {each.id: each for each in joined}
    # Another request may create the same organization at the same moment.
    Organization.objects.create_missing({each.id: each.name or "" for each in joined})
    organizations = Organization.objects.for_logto_ids(by_id)
    OrganizationMembership.objects.bulk_create(
        [
            OrganizationMembership(
                organization=organization, identity=identity, roles=sorted(by_id[organization.logto_id].roles)
            )
            for organization in organizations
        ],
        ignore_conflicts=True,
    )
    for organization in organizations:
        _rename(organization, by_id[organization.logto_id].name)


def _rename(organization: Organization, name: str | None) -> None:
    if name and organization.name != name[:255]:
        rename(organization.logto_id, name)


# For webhooks and the console, which report one organization at a time


def save_membership(identity: LogtoIdentity, membership: Membership, *, may_join: bool = True) -> MembershipChanges:
    """Store one membership with exactly these roles, and return what changed. The other memberships stay.

    With `may_join=False`, only the roles of an existing membership are stored.
    """
    row = _members(membership.id).filter(identity=identity).first()
    if row is None and not may_join:
        return NO_MEMBERSHIP_CHANGES
    if row is None:
        _join(identity, [membership])
        return MembershipChanges(joined=(membership,))
    roles, former = sorted(membership.roles), row.roles
    if roles == former:
        return NO_MEMBERSHIP_CHANGES
    OrganizationMembership.objects.filter(pk=row.pk).update(roles=roles)
    return MembershipChanges(roles={membership.id: roles}, former={membership.id: former})


def add_members(
    organization_id: str, identities: Collection[LogtoIdentity]
) -> list[tuple[LogtoIdentity, MembershipChanges]]:
    """Store these users as members, and return what changed, for `memberships_changed`. Roles of members stay."""
    if not identities:
        return []
    Organization.objects.create_missing({organization_id: ""})
    organization = Organization.objects.for_logto_id(organization_id).get()
    known = _former_roles(organization_id, identities)
    OrganizationMembership.objects.bulk_create(
        [OrganizationMembership(organization=organization, identity=identity) for identity in identities],
        ignore_conflicts=True,
    )
    changes = MembershipChanges(joined=(Membership(id=organization_id, name=None, roles=()),))
    return [(identity, changes) for identity in identities if identity.pk not in known]


def end_memberships(
    organization_id: str, identities: Collection[LogtoIdentity]
) -> list[tuple[LogtoIdentity, MembershipChanges]]:
    """Delete the memberships of these users in one organization, and return what changed, for `memberships_changed`."""
    former = _former_roles(organization_id, identities)
    _members(organization_id).filter(identity__in=identities).delete()
    left = frozenset({organization_id})
    return [
        (identity, MembershipChanges(left=left, former={organization_id: former[identity.pk]}))
        for identity in identities
        if identity.pk in former
    ]


def _former_roles(organization_id: str, identities: Collection[LogtoIdentity]) -> dict[int, list[str]]:
    """Return the stored role names of members, by the key of their identity. One query; empty without a receiver."""
    if not memberships_changed.receivers:
        return {}
    return dict(_members(organization_id).filter(identity__in=identities).values_list("identity_id", "roles"))


def _members(organization_id: str) -> RowQuerySet[OrganizationMembership]:
    organizations = Organization.objects.for_logto_id(organization_id)
    return OrganizationMembership.objects.filter(organization__in=organizations)  # type: ignore[no-any-return]


def rename(organization_id: str, name: str) -> None:
    """Store the name of an organization that this site knows."""

    def store(values: dict[str, str]) -> None:
        with atomic():
            Organization.objects.for_logto_id(organization_id).update(**values)

    if name:
        write_storable({"name": name[:255]}, store)

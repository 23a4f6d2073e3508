"""The rows that say which users belong to which organizations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership, make_digest

from .memberships import Membership


def fill_in_names(memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
    """The same, with the names that this site knows where the claims have none. One query if any name is missing."""
    nameless = {make_digest(conf.issuer, each.id): each.id for each in memberships if each.name is None}
    if not nameless:
        return memberships
    rows = Organization.objects.filter(digest__in=nameless).values_list("digest", "name")
    names = {nameless[digest]: name for digest, name in rows if name}
    return tuple(replace(each, name=each.name or names.get(each.id)) for each in memberships)


def membership_claims(identity: LogtoIdentity) -> dict[str, Any]:
    """What this site knows of a person's organizations, in the words of claims. One query."""
    rows = OrganizationMembership.objects.filter(identity=identity).select_related("organization").order_by("pk")
    organizations = [row.organization for row in rows]
    return {
        "organizations": [each.logto_id for each in organizations],
        "organization_data": [{"id": each.logto_id, "name": each.name} for each in organizations],
        "organization_roles": [f"{row.organization.logto_id}:{role}" for row in rows for role in row.roles],
    }


def save_memberships(identity: LogtoIdentity, memberships: Iterable[Membership], *, with_roles: bool = True) -> bool:
    """Have the rows of `identity` say what `memberships` say; returns whether that changed any. One query if not.

    Organizations that this site has not heard of are made; those that somebody leaves stay, for rows may point to them.
    Not `with_roles` those stay as they are that were known already.
    """
    wanted = {make_digest(identity.issuer, membership.id): membership for membership in memberships}
    rows = OrganizationMembership.objects.filter(identity=identity).select_related("organization")
    held = {row.organization.digest: row for row in rows}
    gained = {digest: membership for digest, membership in wanted.items() if digest not in held}
    lost = [row.pk for digest, row in held.items() if digest not in wanted]
    if lost:
        OrganizationMembership.objects.filter(pk__in=lost).delete()
    if gained:
        _join(identity, gained)
    changed = [_update(held[digest], wanted[digest], with_roles=with_roles) for digest in wanted.keys() & held.keys()]
    return bool(lost or gained or any(changed))


def _join(identity: LogtoIdentity, gained: Mapping[str, Membership]) -> None:
    # Somebody else may be just as new to the same organization, at this very moment.
    Organization.objects.bulk_create(
        [
            Organization(issuer=identity.issuer, logto_id=each.id, digest=digest, name=(each.name or "")[:255])
            for digest, each in gained.items()
        ],
        ignore_conflicts=True,
    )
    organizations = Organization.objects.filter(digest__in=gained)
    OrganizationMembership.objects.bulk_create(
        [
            OrganizationMembership(
                organization=organization, identity=identity, roles=sorted(gained[organization.digest].roles)
            )
            for organization in organizations
        ],
        ignore_conflicts=True,
    )
    for organization in organizations:
        _rename(organization, gained[organization.digest])


def _update(row: OrganizationMembership, membership: Membership, *, with_roles: bool) -> bool:
    """Take over roles and name where they differ; returns whether the roles did."""
    _rename(row.organization, membership)
    roles = sorted(membership.roles)
    if not with_roles or row.roles == roles:
        return False
    OrganizationMembership.objects.filter(pk=row.pk).update(roles=roles)
    return True


def _rename(organization: Organization, membership: Membership) -> None:
    name = (membership.name or "")[:255]
    if name and organization.name != name:
        Organization.objects.filter(pk=organization.pk).update(name=name)


# What webhooks tell of one organization


def add_members(organization_id: str, identities: Collection[LogtoIdentity]) -> None:
    """Have these people be members, with the roles that are known of those who are already. At most three queries."""
    if not identities:
        return
    organization = Organization(
        issuer=conf.issuer, logto_id=organization_id, digest=make_digest(conf.issuer, organization_id)
    )
    Organization.objects.bulk_create([organization], ignore_conflicts=True)
    organization = Organization.objects.get(digest=organization.digest)
    OrganizationMembership.objects.bulk_create(
        [OrganizationMembership(organization=organization, identity=identity) for identity in identities],
        ignore_conflicts=True,
    )


def remove_members(organization_id: str, identities: Collection[LogtoIdentity] | None = None) -> None:
    """Have these people be no members any more, or nobody. The organization stays, for rows may point to it."""
    rows = OrganizationMembership.objects.filter(organization__digest=make_digest(conf.issuer, organization_id))
    if identities is not None:
        rows = rows.filter(identity__in=identities)
    rows.delete()


def rename(organization_id: str, name: str) -> None:
    """Take over the name of an organization that this site knows."""
    if name:
        digest = make_digest(conf.issuer, organization_id)
        Organization.objects.filter(digest=digest).update(name=name[:255])

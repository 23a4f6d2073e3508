"""Organizations: which one an address names, and the rows that say who belongs to which.

What an address names is only a wish: `context` and `bearer` make it the current organization when the person or the
token belongs to it, and on no other ground.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.module_loading import import_string

from .conf import conf
from .exceptions import ConfigurationError, OrganizationRequired
from .mapping import Membership
from .models import LogtoIdentity, Organization, OrganizationMembership, make_digest

URL_KWARG = "organization_id"


# Which organization an address names


def named_by(request: HttpRequest) -> str | None:
    """The id of the organization that the address of `request` names, by the function in `LOGTO_ORGANIZATION_FROM`."""
    organization_from: Callable[[HttpRequest], str | None] = import_string(conf.organization_from)
    return organization_from(request)


def from_url(request: HttpRequest) -> str | None:
    """What the URL pattern of the view captured as `organization_id`."""
    match = request.resolver_match
    value = match.kwargs.get(URL_KWARG) if match is not None else None
    return None if value is None else str(value)


def from_subdomain(request: HttpRequest) -> str | None:
    """The organization of the subdomain: by the `subdomain` that this site gave it, else by its id. One query.

    A subdomain of nobody is an organization that nobody belongs to, so it is not as if none had been named. Raises
    ConfigurationError without `LOGTO_ORGANIZATION_DOMAIN`.
    """
    if not conf.organization_domain:
        raise ConfigurationError("LOGTO_ORGANIZATION_DOMAIN must be set: the domain that has the subdomains.")
    # With a dot at its end it is the same host.
    host = request.get_host().partition(":")[0].lower().removesuffix(".")
    label = host.removesuffix("." + conf.organization_domain.lower())
    if label == host or "." in label:
        return None
    organization = Organization.objects.filter(issuer=conf.issuer, subdomain=label).first()
    return organization.logto_id if organization else label


# The rows


class OrganizationQuerySet(models.QuerySet[Any]):
    """For models of a site that belong to an organization: `objects = OrganizationQuerySet.as_manager()`.

    `organization_field` names the foreign key to `logto_auth.Organization`, or leads to it: `branch__organization`.
    """

    organization_field = "organization"

    def for_organization(self, organization: Organization | Membership | str | None) -> models.QuerySet[Any]:
        """The rows of this organization, which may be given by its id at Logto; of None there are none."""
        if isinstance(organization, Organization):
            return self.filter(**{self.organization_field: organization})  # type: ignore[no-any-return]
        logto_id = organization.id if isinstance(organization, Membership) else organization
        if logto_id is None:
            return self.none()  # type: ignore[no-any-return]
        digest = make_digest(conf.issuer, logto_id)
        return self.filter(**{f"{self.organization_field}__digest": digest})  # type: ignore[no-any-return]

    def for_request(self, request: HttpRequest) -> models.QuerySet[Any]:
        """The rows of the current organization of `request`, which its person or its token belongs to; else none."""
        organization_id: str | None = request.logto.organization_id  # type: ignore[attr-defined]
        return self.for_organization(organization_id)


def organization_of(request: HttpRequest) -> Organization:
    """The row of the current organization of `request`, for rows of a site to point to.

    Made if it is new to this site: an access token may come from somebody who has never signed in here. Raises
    OrganizationRequired when there is no current organization.
    """
    organization_id: str | None = request.logto.organization_id  # type: ignore[attr-defined]
    if organization_id is None:
        raise OrganizationRequired("There is no current organization: neither the session nor the token has one here.")
    organization: Organization
    organization, _created = Organization.objects.get_or_create(
        digest=make_digest(conf.issuer, organization_id),
        defaults={"issuer": conf.issuer, "logto_id": organization_id},
    )
    return organization


def with_names(memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
    """The same, with the names that this site knows where the claims have none. One query if any name is missing."""
    nameless = {make_digest(conf.issuer, each.id): each.id for each in memberships if each.name is None}
    if not nameless:
        return memberships
    rows = Organization.objects.filter(digest__in=nameless).values_list("digest", "name")
    names = {nameless[digest]: name for digest, name in rows if name}
    return tuple(replace(each, name=each.name or names.get(each.id)) for each in memberships)


def claims_of_memberships(identity: LogtoIdentity) -> dict[str, Any]:
    """What this site knows of a person's organizations, in the words of claims. One query."""
    rows = OrganizationMembership.objects.filter(identity=identity).select_related("organization").order_by("pk")
    organizations = [row.organization for row in rows]
    return {
        "organizations": [each.logto_id for each in organizations],
        "organization_data": [{"id": each.logto_id, "name": each.name} for each in organizations],
        "organization_roles": [f"{row.organization.logto_id}:{role}" for row in rows for role in row.roles],
    }


def keep_memberships(identity: LogtoIdentity, memberships: Iterable[Membership], *, with_roles: bool = True) -> bool:
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


def begin_memberships(organization_id: str, identities: Collection[LogtoIdentity]) -> None:
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


def end_memberships(organization_id: str, identities: Collection[LogtoIdentity] | None = None) -> None:
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

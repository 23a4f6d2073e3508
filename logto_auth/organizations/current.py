"""Organizations: which one an address names, and the rows that say who belongs to which.

What an address names is only a wish: `context` and `bearer` make it the current organization when the person or the
token belongs to it, and on no other ground.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, OrganizationRequired
from logto_auth.models import Organization, make_digest

from .memberships import Membership

URL_KWARG = "organization_id"


# Which organization an address names


def requested_organization_id(request: HttpRequest) -> str | None:
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

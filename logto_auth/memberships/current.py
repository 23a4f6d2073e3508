"""The current organization of a request: the one that its URL selects, if the user or the token belongs to it.

The functions here only read what the URL selects. `sessions.principal` and `api.authentication` check the membership.
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

from .claims import Membership

__all__ = ["OrganizationQuerySet", "from_subdomain", "from_url", "organization_of"]

URL_KWARG = "organization_id"


def requested_organization_id(request: HttpRequest) -> str | None:
    """Return the id of the organization that the request selects, by the function in `LOGTO_ORGANIZATION_FROM`."""
    organization_from: Callable[[HttpRequest], str | None] = import_string(conf.organization_from)
    return organization_from(request)


def from_url(request: HttpRequest) -> str | None:
    """Return what the URL pattern of the view captured as `organization_id`; None if it captured nothing."""
    # A test client may make requests without this attribute, such as that of Django Ninja 1.5.
    match = getattr(request, "resolver_match", None)
    value = match.kwargs.get(URL_KWARG) if match is not None else None
    return None if value is None else str(value)


def from_subdomain(request: HttpRequest) -> str | None:
    """Return the organization of the subdomain: by the `subdomain` that this site gave it, else by its id. One query.

    An unknown subdomain returns its label, so access is denied, rather than None. Raise ConfigurationError without
    `LOGTO_ORGANIZATION_DOMAIN`.
    """
    if not conf.organization_domain:
        raise ConfigurationError("LOGTO_ORGANIZATION_DOMAIN must be set to the domain that has the subdomains.")
    # A host with a dot at its end is the same host.
    host = request.get_host().partition(":")[0].lower().removesuffix(".")
    label = host.removesuffix("." + conf.organization_domain.lower())
    if label == host or "." in label:
        return None
    organization = Organization.objects.filter(issuer=conf.issuer, subdomain=label).first()
    return organization.logto_id if organization else label


class OrganizationQuerySet(models.QuerySet[Any]):
    """A queryset for models of a site that belong to an organization.

    Use it as `objects = OrganizationQuerySet.as_manager()`. `organization_field` is the foreign key to
    `logto_auth.Organization`, or a path to it such as `branch__organization`.
    """

    organization_field = "organization"

    def for_organization(self, organization: Organization | Membership | str | None) -> models.QuerySet[Any]:
        """Return the rows of an organization, which may be given by its id at Logto; no rows for None."""
        if isinstance(organization, Organization):
            return self.filter(**{self.organization_field: organization})  # type: ignore[no-any-return]
        logto_id = organization.id if isinstance(organization, Membership) else organization
        if logto_id is None:
            return self.none()  # type: ignore[no-any-return]
        # A join on the digest, because databases differ in whether ids that differ in case are equal.
        digest = make_digest(conf.issuer, logto_id)
        return self.filter(**{f"{self.organization_field}__digest": digest})  # type: ignore[no-any-return]

    def for_request(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Return the rows of the current organization of `request`; no rows if it has none."""
        organization_id: str | None = request.logto.organization_id  # type: ignore[attr-defined]
        return self.for_organization(organization_id)


def organization_of(request: HttpRequest) -> Organization:
    """Return the row of the current organization of `request`, for foreign keys of the site.

    The row is created if it is missing: the user of an access token may never have signed in here. Raise
    OrganizationRequired if there is no current organization.
    """
    organization_id: str | None = request.logto.organization_id  # type: ignore[attr-defined]
    if organization_id is None:
        raise OrganizationRequired("The request has no current organization, neither by its session nor by its token.")
    organization: Organization = Organization.objects.get_or_create_for_logto_id(organization_id)
    return organization

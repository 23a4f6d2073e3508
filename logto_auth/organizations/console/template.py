"""The roles of the organization template, which the cache keeps for a minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from logto_auth.conf import conf
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.answers import plain_text, read
from logto_auth.site_cache import cached

from .answers import organization_role, template_roles
from .values import OrganizationRole

__all__ = ["Template"]

CACHE_SECONDS = 60


class Template:
    """The roles for users and their permissions. They are fetched at the first use."""

    def __init__(self, api: ManagementAPI) -> None:
        self._api = api

    @cached_property
    def roles(self) -> tuple[OrganizationRole, ...]:
        """The roles for users, by name."""
        return tuple(map(organization_role, self._rows))

    def scopes_of(self, role_ids: Iterable[str]) -> frozenset[str]:
        """Return the organization permissions that these roles have. One whose id is unknown has none."""
        wanted = frozenset(role_ids)
        return frozenset(scope for role in self.roles if role.id in wanted for scope in role.scopes)

    def has_requested_permissions(self, role_names: Iterable[str]) -> bool:
        """Return whether one of the roles has a permission of an API resource that sign-ins of this site request."""
        wanted = frozenset(role_names)
        scopes = {
            (resource_id, name)
            for row in self._rows
            if row["name"] in wanted
            for resource_id, name in row["resource_scopes"]
            if name in conf.scopes
        }
        if not scopes or not conf.sign_in_resources:
            return False
        requested = {id for id, indicator in self._indicators.items() if indicator in conf.sign_in_resources}
        return any(resource_id in requested for resource_id, _name in scopes)

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return cached(
            "organization_roles",
            self._api.base_url,
            lambda: template_roles(self._api.organization_roles.all()),
            timeout_seconds=CACHE_SECONDS,
        )

    @cached_property
    def _indicators(self) -> dict[str, str]:
        """The indicators of the API resources by id."""
        return cached(
            "api_resources",
            self._api.base_url,
            lambda: _indicators_in(self._api.api_resources.all()),
            timeout_seconds=CACHE_SECONDS,
        )


@read
def _indicators_in(resources: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {plain_text(each["id"]): plain_text(each["indicator"]) for each in resources}

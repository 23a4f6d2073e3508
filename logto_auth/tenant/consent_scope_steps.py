"""The part of a plan about what clients of others may ask users for.

Unlike the rest of a plan, it also removes: the stored permissions become what is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from logto_auth.exceptions import ManagementAPIError

from .consent_scopes import ConsentScopes
from .permissions import DeclaredPermissions, permission_labels
from .roles import DeclaredOrganizationTemplate
from .steps import Difference, exact_list_difference

if TYPE_CHECKING:
    from logto_auth.management_api.resources import ConsentScopeType
    from logto_auth.management_api.types import NewUserConsentScopes, UserConsentScopes

__all__ = ["NO_CONSENT_SCOPES", "DeclaredConsentScopes"]

NO_CONSENT_SCOPES: Final[UserConsentScopes] = {
    "organizationScopes": [],
    "resourceScopes": [],
    "organizationResourceScopes": [],
    "userScopes": [],
}
# The key of each kind in a payload.
KEYS: Final[Mapping[ConsentScopeType, str]] = {
    "organization-scopes": "organizationScopes",
    "resource-scopes": "resourceScopes",
    "organization-resource-scopes": "organizationResourceScopes",
    "user-scopes": "userScopes",
}
# The labels of differences.
PERMISSIONS, USER_SCOPES = "permissions", "user scopes"
ORGANIZATION_PERMISSIONS, PERMISSIONS_IN_ORGANIZATIONS = "organization permissions", "permissions in organizations"


class DeclaredConsentScopes:
    """What a client may ask users for, by its declaration.

    Create it after the steps of permissions and of the template. Raise ConfigurationError if a permission is neither
    declared nor in the tenant. `holder` is how errors name the client.
    """

    def __init__(
        self,
        holder: str,
        declared: ConsentScopes,
        permissions: DeclaredPermissions,
        template: DeclaredOrganizationTemplate,
    ) -> None:
        self._declared = declared
        self._permissions = permissions
        self._template = template
        self._of_apis = permissions.required_by(holder, declared.scopes)
        self._in_organizations = permissions.required_by(holder, declared.organization_resource_scopes)
        template.check_scopes(holder, declared.organization_scopes)

    def properties(self) -> dict[str, list[str]]:
        """Return what is declared, by label."""
        return {
            PERMISSIONS: permission_labels(self._of_apis),
            USER_SCOPES: list(dict.fromkeys(self._declared.user_scopes)),
            ORGANIZATION_PERMISSIONS: list(dict.fromkeys(self._declared.organization_scopes)),
            PERMISSIONS_IN_ORGANIZATIONS: permission_labels(self._in_organizations),
        }

    def differences(self, stored: UserConsentScopes) -> Iterator[Difference | None]:
        """Yield how the stored permissions differ from the declared ones. The order does not count."""
        before = {
            PERMISSIONS: _labels(stored["resourceScopes"]),
            USER_SCOPES: stored["userScopes"],
            ORGANIZATION_PERMISSIONS: [each["name"] for each in stored["organizationScopes"]],
            PERMISSIONS_IN_ORGANIZATIONS: _labels(stored["organizationResourceScopes"]),
        }
        for label, declared in self.properties().items():
            yield exact_list_difference(label, before[label], declared)

    def send(
        self,
        stored: UserConsentScopes,
        *,
        add: Callable[[NewUserConsentScopes], None],
        remove: Callable[[ConsentScopeType, str], None],
    ) -> None:
        """Remove what is not declared, then add what is missing. Call it when all permissions exist."""
        held: dict[ConsentScopeType, list[str]] = {
            "organization-scopes": [each["id"] for each in stored["organizationScopes"]],
            "resource-scopes": _ids(stored["resourceScopes"]),
            "organization-resource-scopes": _ids(stored["organizationResourceScopes"]),
            "user-scopes": stored["userScopes"],
        }
        wanted: dict[ConsentScopeType, list[str]] = {
            "organization-scopes": self._template.scope_ids(self._declared.organization_scopes),
            "resource-scopes": self._permissions.ids(self._of_apis),
            "organization-resource-scopes": self._permissions.ids(self._in_organizations),
            "user-scopes": list(self._declared.user_scopes),
        }
        for type, ids in held.items():
            for id in _without(ids, wanted[type]):
                with _ignoring_removed():
                    remove(type, id)
        # Logto answers 422 to an empty list.
        missing = {KEYS[type]: new for type, ids in wanted.items() if (new := _without(ids, held[type]))}
        if missing:
            add(cast("NewUserConsentScopes", missing))


def _labels(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return permission_labels((row["resource"]["indicator"], scope["name"]) for row in rows for scope in row["scopes"])


def _ids(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return [scope["id"] for row in rows for scope in row["scopes"]]


def _without(ids: Sequence[str], others: Sequence[str]) -> list[str]:
    return [id for id in dict.fromkeys(ids) if id not in others]


@contextmanager
def _ignoring_removed() -> Iterator[None]:
    """Ignore that a permission was removed in the meantime."""
    try:
        yield
    except ManagementAPIError as error:
        if not error.is_not_found:
            raise

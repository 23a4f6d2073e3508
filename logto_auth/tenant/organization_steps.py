"""The part of a plan about organizations. They get what is declared; their other members and settings stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.resources import search_text

from .machine_applications import MachineApplications
from .organizations import DeclaredOrganization, organization_label
from .roles import DeclaredOrganizationTemplate
from .steps import Difference, Step, change_step, creation_step, exact_difference, list_difference, value_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import NewOrganization, Organization, OrganizationChanges, SsoConnector

__all__ = ["PlannedOrganizations"]

KIND: Final = "organization"
# The labels of differences.
DESCRIPTION, MFA_REQUIRED = "description", "requires MFA"
DOMAINS, DEFAULT_ROLES, CONNECTORS = "e-mail domains", "default roles", "enterprise SSO connectors"
APPLICATIONS, APPLICATION_ROLES = "applications", "roles of applications"


class PlannedOrganizations:
    """The organizations of a declaration. Their steps come after those of the template and of the applications."""

    def __init__(
        self,
        api: ManagementAPI,
        organizations: Sequence[DeclaredOrganization],
        template: DeclaredOrganizationTemplate,
        applications: MachineApplications,
    ) -> None:
        self._api = api
        self._declared = organizations
        self._template = template
        self._applications = applications
        self._connectors: list[SsoConnector] = []

    def steps(self) -> Iterator[Step]:
        """Yield a step for each organization.

        Raise ConfigurationError if several organizations have the name, if a role does not exist or has another type,
        and if an enterprise SSO connector does not exist.
        """
        if any(each.sso_connectors for each in self._declared):
            self._connectors = list(self._api.sso_connectors.all())
        for declared in self._declared:
            label = organization_label(declared)
            self._template.check_roles(label, declared.default_roles, "User")
            for roles in declared.applications.values():
                self._template.check_roles(label, roles, "MachineToMachine")
            connectors = {each: self._connector_id(label, each) for each in declared.sso_connectors}
            stored = self._find(declared)
            if stored is None:
                yield self._creation_step(declared, connectors)
            else:
                yield self._change_step(declared, connectors, stored)

    def _creation_step(self, declared: DeclaredOrganization, connectors: Mapping[str, str]) -> Step:
        shown = {
            DESCRIPTION: declared.description,
            MFA_REQUIRED: declared.is_mfa_required,
            DOMAINS: list(declared.email_domains),
            DEFAULT_ROLES: list(declared.default_roles),
            CONNECTORS: list(connectors),
            APPLICATIONS: list(declared.applications),
            APPLICATION_ROLES: [
                _role_label(role, application) for application, roles in declared.applications.items() for role in roles
            ],
        }
        return creation_step(KIND, declared.name, shown, partial(self._create, declared, connectors))

    def _create(self, declared: DeclaredOrganization, connectors: Mapping[str, str]) -> None:
        # Logto accepts several organizations with the same name, so a second one has to be prevented here.
        if self._find(declared):
            raise ConfigurationError(
                f"The {organization_label(declared)} was created in the meantime. Run this again to use it."
            )
        payload: NewOrganization = {"name": declared.name}
        if declared.description:
            payload["description"] = declared.description
        if declared.is_mfa_required is not None:
            payload["isMfaRequired"] = declared.is_mfa_required
        self._relations(declared, connectors, self._api.organizations.create(payload)["id"]).complete()

    def _change_step(self, declared: DeclaredOrganization, connectors: Mapping[str, str], stored: Organization) -> Step:
        mfa = declared.is_mfa_required
        differences = [
            value_difference(DESCRIPTION, stored["description"], declared.description),
            exact_difference(MFA_REQUIRED, stored["isMfaRequired"], mfa) if mfa is not None else None,
            *self._relations(declared, connectors, stored["id"]).differences(),
        ]
        name = f"{declared.name} ({stored['id']})"
        return change_step(KIND, name, differences, partial(self._change, declared, connectors, stored["id"]))

    def _change(self, declared: DeclaredOrganization, connectors: Mapping[str, str], id: str) -> None:
        changes: OrganizationChanges = {}
        if declared.description:
            changes["description"] = declared.description
        if declared.is_mfa_required is not None:
            changes["isMfaRequired"] = declared.is_mfa_required
        if changes:
            self._api.organizations.update(id, changes)
        # This reads the current values again, because others may have added the same since the plan was made.
        self._relations(declared, connectors, id).complete()

    def _relations(self, declared: DeclaredOrganization, connectors: Mapping[str, str], id: str) -> _Relations:
        return _Relations(self._api, declared, id, connectors, self._template, self._applications)

    # The tenant

    def _find(self, declared: DeclaredOrganization) -> Organization | None:
        stored = self._api.organizations.all(q=search_text(declared.name))
        found = [each for each in stored if each["name"] == declared.name]
        if len(found) > 1:
            ids = ", ".join(each["id"] for each in found)
            raise ConfigurationError(
                f'{len(found)} organizations have the name "{declared.name}": {ids}. An organization is found by its '
                "name. Rename the others in the tenant, or remove the declaration."
            )
        return found[0] if found else None

    def _connector_id(self, label: str, name: str) -> str:
        """Return the id of an enterprise SSO connector, which has this id or, uniquely, this name."""
        by_name = {each["connectorName"]: each["id"] for each in self._connectors}
        by_id = {each["id"]: each["id"] for each in self._connectors}
        id = by_id.get(name) or by_name.get(name)
        if id is None:
            raise ConfigurationError(
                f"The {label} has the enterprise SSO connector {name!r:.80}, which is not in the tenant. Create it in "
                "the Logto Console, or correct its name."
            )
        return id


class _Relations:
    """The declared domains, roles, connectors and applications that an organization has by now, and those it lacks."""

    def __init__(
        self,
        api: ManagementAPI,
        declared: DeclaredOrganization,
        id: str,
        connectors: Mapping[str, str],
        template: DeclaredOrganizationTemplate,
        applications: MachineApplications,
    ) -> None:
        self._organizations = organizations = api.organizations
        self._id = id
        self._template = template
        self._app_ids = applications.ids
        self._connector_ids = connectors
        self._domains = (
            [each["emailDomain"] for each in organizations.jit_email_domains(id)] if declared.email_domains else []
        )
        self._roles = [each["name"] for each in organizations.jit_roles(id)] if declared.default_roles else []
        self._connectors = list(organizations.jit_sso_connectors(id)) if connectors else []
        self._members = list(organizations.applications(id)) if declared.applications else []
        self._roles_of = {each["id"]: [role["name"] for role in each["organizationRoles"]] for each in self._members}

        linked = {each["id"] for each in self._connectors}
        self.missing_domains = _missing(declared.email_domains, self._domains)
        self.missing_roles = _missing(declared.default_roles, self._roles)
        self.missing_connectors = [name for name, id in connectors.items() if id not in linked]
        held = {name: self._roles_of.get(id) for name, id in applications.ids.items()}
        self.missing_applications = [each for each in declared.applications if held.get(each) is None]
        self.missing_application_roles = {
            each: _missing(roles, held.get(each) or []) for each, roles in declared.applications.items()
        }

    def differences(self) -> Iterator[Difference | None]:
        """Yield what is missing."""
        names = {each["id"]: each["name"] for each in self._members}
        yield list_difference(DOMAINS, self._domains, self.missing_domains)
        yield list_difference(DEFAULT_ROLES, self._roles, self.missing_roles)
        yield list_difference(CONNECTORS, [each["connectorName"] for each in self._connectors], self.missing_connectors)
        yield list_difference(APPLICATIONS, names.values(), self.missing_applications)
        yield list_difference(
            APPLICATION_ROLES,
            [_role_label(role, names[id]) for id, roles in self._roles_of.items() for role in roles],
            [_role_label(role, each) for each, roles in self.missing_application_roles.items() for role in roles],
        )

    def complete(self) -> None:
        """Add what is missing. Raise ManagementAPIError."""
        for domain in self.missing_domains:
            self._organizations.add_jit_email_domain(self._id, domain)
        if self.missing_roles:
            self._organizations.add_jit_roles(self._id, self._template.role_ids(self.missing_roles))
        if self.missing_connectors:
            ids = [self._connector_ids[name] for name in self.missing_connectors]
            self._organizations.add_jit_sso_connectors(self._id, ids)
        if self.missing_applications:
            self._organizations.add_applications(self._id, [self._app_ids[each] for each in self.missing_applications])
        for application, roles in self.missing_application_roles.items():
            if roles:
                role_ids = self._template.role_ids(roles)
                self._organizations.add_application_roles(self._id, self._app_ids[application], role_ids)


def _missing(declared: Sequence[str], existing: Sequence[str]) -> list[str]:
    return [each for each in dict.fromkeys(declared) if each not in existing]


def _role_label(role: str, application: str) -> str:
    return f"{role} of {application}"

"""Make a plan from a declaration, and apply a plan to a tenant.

A plan adds to a tenant and removes nothing from it, except permissions of clients of others, and the script of this
package for passwords. After a plan has been applied, the next plan has no changes. If applying is interrupted, the next
plan contains the remaining changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .account_center import account_center_step
from .api_docs import APIDocsApplication
from .application import DeclaredApplication
from .claims import claims_step
from .declaration import TenantDeclaration, declaration_errors
from .dynamic_client_steps import dynamic_clients_step
from .dynamic_clients import DynamicClients
from .machine_applications import MachineApplications
from .organization_steps import PlannedOrganizations
from .password_migration import password_migration_steps
from .permissions import DeclaredPermissions
from .roles import DeclaredOrganizationTemplate, DeclaredRoles
from .sign_in_experience import sign_in_experience_steps
from .steps import Step
from .third_party_steps import ThirdPartyApplications
from .token_exchange import token_exchange_steps
from .webhook import DeclaredWebhook

__all__ = ["Plan", "apply_plan", "make_plan"]


@dataclass(frozen=True)
class Plan:
    """The steps for a tenant in order, with the application and the webhook of the site, with the machine-to-machine
    applications of its organizations, with the applications of others, and with that of the API documentation."""

    steps: Sequence[Step]
    application: DeclaredApplication
    webhook: DeclaredWebhook
    machine_applications: MachineApplications
    third_party_applications: ThirdPartyApplications
    api_docs: APIDocsApplication

    @property
    def changes(self) -> list[Step]:
        """The steps that create or change something. Empty if the tenant matches the declaration."""
        return [step for step in self.steps if step.action != "nothing"]


def make_plan(api: ManagementAPI, declaration: TenantDeclaration) -> Plan:
    """Return the plan for the tenant of `api`. The tenant is read and not changed.

    Raise ConfigurationError if Logto would reject the declaration, with a line for each error, or if an existing
    object of the tenant cannot be changed to what is declared. Raise ManagementAPIError.
    """
    if errors := declaration_errors(declaration):
        raise ConfigurationError("\n".join(errors))
    application, webhook = DeclaredApplication(api, declaration), DeclaredWebhook(api, declaration)
    permissions = DeclaredPermissions(api, declaration)
    template = DeclaredOrganizationTemplate(api, declaration, permissions)
    machines = MachineApplications(api, (name for each in declaration.organizations for name in each.applications))
    clients = ThirdPartyApplications(api, declaration.third_party_applications, permissions, template)
    api_docs = APIDocsApplication(api, declaration, application)
    steps = [
        *([application.step()] if application.is_needed else []),
        *token_exchange_steps(api, declaration, application),
        *permissions.steps(),
        *DeclaredRoles(api, declaration, permissions).steps(),
        *template.steps(),
        *machines.steps(),
        *PlannedOrganizations(api, declaration.organizations, template, machines).steps(),
        *clients.steps(),
        *api_docs.steps(),
        *sign_in_experience_steps(api, declaration),
        *([account_center_step(api, declaration.account_center)] if declaration.account_center else []),
        *([claims_step(api, declaration, application)] if declaration.authentication_methods_claim else []),
        *([webhook.step()] if webhook.is_needed else []),
        *password_migration_steps(api, declaration),
        *_dynamic_clients_steps(api, declaration.dynamic_clients, permissions, template),
    ]
    return Plan(steps, application, webhook, machines, clients, api_docs)


def _dynamic_clients_steps(
    api: ManagementAPI,
    declared: DynamicClients | None,
    permissions: DeclaredPermissions,
    template: DeclaredOrganizationTemplate,
) -> list[Step]:
    # The last one: Logto refuses it for a reason that lies outside of the tenant.
    return [dynamic_clients_step(api, declared, permissions, template)] if declared is not None else []


def apply_plan(plan: Plan, on_done: Callable[[Step], None] = lambda step: None) -> None:
    """Send the requests of all changes. `on_done` is called with each step after its requests.

    Raise ManagementAPIError at the first step that Logto rejects. Raise ConfigurationError if an application or an
    organization exists because another run has created it, if Logto has dropped a declared field of the account center,
    if the script for custom claims has changed and does not fit any more, or if Logto refuses dynamic clients because
    its outbound guard is off. The steps before it remain applied; a new plan contains the others.
    """
    for step in plan.changes:
        step.send()
        on_done(step)

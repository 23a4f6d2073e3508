"""From a declaration to a plan, and from a plan to a tenant that is as declared.

A plan adds to a tenant and takes nothing from it. Applied twice it does nothing the second time; interrupted half-way,
the next plan is about the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api.client import ManagementAPI

from .application import OwnApplication
from .declaration import TenantDeclaration, faults
from .permissions import Permissions
from .roles import OrganizationTemplate, Roles
from .steps import Step
from .webhook import OwnWebhook


@dataclass(frozen=True)
class Plan:
    """What has to happen in a tenant, in order, and the application and webhook that it is about."""

    steps: Sequence[Step]
    application: OwnApplication
    webhook: OwnWebhook

    @property
    def changes(self) -> list[Step]:
        """The steps that do something; none when the tenant is as declared."""
        return [step for step in self.steps if step.action != "nothing"]


def plan(api: ManagementAPI, declaration: TenantDeclaration) -> Plan:
    """The plan for the tenant of `api`, of which everything is read and nothing is changed.

    Raises ConfigurationError, with a line for each fault, for a declaration that Logto would not take, and
    for one that the tenant cannot be brought to; and ManagementAPIError.
    """
    if found := faults(declaration):
        raise ConfigurationError("\n".join(found))
    application, webhook = OwnApplication(api, declaration), OwnWebhook(api, declaration)
    permissions = Permissions(api, declaration)
    steps = [
        *([application.step()] if application.is_wanted else []),
        *permissions.steps(),
        *Roles(api, declaration, permissions).steps(),
        *OrganizationTemplate(api, declaration, permissions).steps(),
        *([webhook.step()] if webhook.is_wanted else []),
    ]
    return Plan(steps, application, webhook)


def apply(plan: Plan, done: Callable[[Step], None] = lambda step: None) -> None:
    """Bring the tenant to what the plan says; `done` is called with each step that has been taken.

    Raises ManagementAPIError at the first that Logto refuses. What has been done until then stays, and a new plan goes
    on from there.
    """
    for step in plan.changes:
        step.send()
        done(step)

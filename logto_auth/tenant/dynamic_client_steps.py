"""The part of a plan about dynamic clients (CIMD): one step, which comes last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI

from .consent_scope_steps import DeclaredConsentScopes
from .dynamic_clients import DYNAMIC_CLIENTS, DynamicClients
from .permissions import DeclaredPermissions
from .roles import DeclaredOrganizationTemplate
from .site import OUTBOUND_GUARD_OFF
from .steps import Step, change_step, exact_difference

if TYPE_CHECKING:
    from logto_auth.management_api.types import DynamicClientSettings

__all__ = ["dynamic_clients_step"]

KIND, NAME = DYNAMIC_CLIENTS, "of the tenant"


def dynamic_clients_step(
    api: ManagementAPI,
    declared: DynamicClients,
    permissions: DeclaredPermissions,
    template: DeclaredOrganizationTemplate,
) -> Step:
    """Return the step that turns dynamic clients on or off and sets their ceiling.

    Raise ConfigurationError if this Logto has no dynamic clients and they are declared as enabled, or if a permission
    is neither declared nor in the tenant. Sending it raises ConfigurationError if the outbound guard of Logto is off.
    """
    scopes = DeclaredConsentScopes(DYNAMIC_CLIENTS, declared, permissions, template)
    stored = _stored_settings(api)
    if stored is None:
        if declared.enabled:
            raise ConfigurationError(
                f"The declaration has dynamic_clients, and the Logto at {api.base_url} has no {DYNAMIC_CLIENTS}: no "
                "released version of Logto has them. Declare each client in third_party_applications, and remove "
                "dynamic_clients or set enabled=False."
            )
        return Step("nothing", KIND, NAME)
    clients = api.dynamic_clients

    def send() -> None:
        # A wider ceiling never meets clients that it is not declared for.
        if not declared.enabled:
            clients.update({"enabled": False})
        scopes.send(
            clients.user_consent_scopes(),
            add=clients.add_user_consent_scopes,
            remove=clients.remove_user_consent_scope,
        )
        if declared.enabled:
            _turn_on(api)

    differences = [
        exact_difference("enabled", stored["enabled"], declared.enabled),
        *scopes.differences(clients.user_consent_scopes()),
    ]
    return change_step(KIND, NAME, differences, send)


def _stored_settings(api: ManagementAPI) -> DynamicClientSettings | None:
    """Return whether dynamic clients are on, or None if this Logto has none."""
    try:
        return api.dynamic_clients.get()
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        return None


def _turn_on(api: ManagementAPI) -> None:
    try:
        api.dynamic_clients.update({"enabled": True})
    except ManagementAPIError as error:
        if error.status != 422:
            raise
        raise ConfigurationError(
            f"The Logto at {api.base_url} refuses {DYNAMIC_CLIENTS}, because it runs with {OUTBOUND_GUARD_OFF}: "
            "without its outbound guard, it would fetch documents from private addresses. Remove the variable from its "
            "environment, start it again, and run this again. It then sends no back-channel logouts to private "
            "addresses. To keep the variable, declare each client in third_party_applications instead."
        ) from error

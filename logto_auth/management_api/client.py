"""The client of the Management API: one attribute for each kind of object in a tenant."""

from __future__ import annotations

from functools import cached_property

from . import resources
from .transport import Transport

__all__ = ["ManagementAPI"]


class ManagementAPI(Transport):
    """Logto's Management API. Keep one instance and share it between threads, because it caches its access token.

    The attributes hold the objects of the tenant: `api.users.get(id)`, `api.roles.all()`. `request()` calls endpoints
    that have no method here. See `Transport` for the arguments and the errors.
    """

    @cached_property
    def applications(self) -> resources.Applications:
        return resources.Applications(self)

    @cached_property
    def users(self) -> resources.Users:
        return resources.Users(self)

    @cached_property
    def roles(self) -> resources.Roles:
        return resources.Roles(self)

    @cached_property
    def api_resources(self) -> resources.Resources:
        return resources.Resources(self)

    @cached_property
    def organizations(self) -> resources.Organizations:
        return resources.Organizations(self)

    @cached_property
    def organization_roles(self) -> resources.OrganizationRoles:
        return resources.OrganizationRoles(self)

    @cached_property
    def organization_scopes(self) -> resources.OrganizationScopes:
        return resources.OrganizationScopes(self)

    @cached_property
    def invitations(self) -> resources.Invitations:
        return resources.Invitations(self)

    @cached_property
    def connectors(self) -> resources.Connectors:
        return resources.Connectors(self)

    @cached_property
    def sso_connectors(self) -> resources.SsoConnectors:
        return resources.SsoConnectors(self)

    @cached_property
    def sign_in_experience(self) -> resources.SignInExperience:
        return resources.SignInExperience(self)

    @cached_property
    def account_center(self) -> resources.AccountCenter:
        return resources.AccountCenter(self)

    @cached_property
    def dynamic_clients(self) -> resources.DynamicClients:
        return resources.DynamicClients(self)

    @cached_property
    def actions(self) -> resources.Actions:
        return resources.Actions(self)

    @cached_property
    def jwt_customizers(self) -> resources.JwtCustomizers:
        return resources.JwtCustomizers(self)

    @cached_property
    def hooks(self) -> resources.Hooks:
        return resources.Hooks(self)

    @cached_property
    def one_time_tokens(self) -> resources.OneTimeTokens:
        return resources.OneTimeTokens(self)

    @cached_property
    def subject_tokens(self) -> resources.SubjectTokens:
        return resources.SubjectTokens(self)

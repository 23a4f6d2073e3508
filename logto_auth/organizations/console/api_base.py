"""What all endpoints of the console have in common: who may call them, what they read, and their error responses."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.access import MissingRequirement, RequirementKind
from logto_auth.api.authentication import TokenPrincipal
from logto_auth.api.errors import ErrorResponse
from logto_auth.contrib.user_endpoints import (
    IsLogtoUser,
    UserAuthentication,
    UserEndpoint,
    refuse_token,
    url_of_sign_in,
)
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.pages.refusals import Refusal
from logto_auth.sessions.principal import request_principal
from logto_auth.tenant.organization_console import Guard

from .api_serializers import OwnOrganizationSerializer
from .console import Console, ManagedOrganization
from .errors import AlreadyInvited, Incomplete, NotPermitted
from .pages.texts import CONSOLE_IS_OFF, NOT_MANAGED
from .values import OwnOrganization

__all__ = [
    "ConsoleAuthentication",
    "ConsoleView",
    "IsConsoleUser",
    "OrganizationView",
]

logger = logging.getLogger("logto_auth")


class ConsoleAuthentication(UserAuthentication):
    """Authenticate a user by an organization token, or by an access token for the API of the site."""

    of_organization = None


class IsConsoleUser(IsLogtoUser):
    """Require a Logto session, or an access token for the organization in the URL."""

    def check_token(self, principal: TokenPrincipal, view: APIView) -> None:
        """Refuse a token that is for no organization, or for another one."""
        if principal.organization_id is None or view.kwargs.get("organization_id") not in (
            None,
            principal.organization_id,
        ):
            missing = MissingRequirement(kind=RequirementKind.ORGANIZATION)
            refuse_token(principal, ErrorResponse.insufficient(missing))


class ConsoleView(UserEndpoint):
    """An endpoint of the console."""

    authentication_classes = [ConsoleAuthentication, SessionAuthentication]
    permission_classes = [IsConsoleUser]
    log_name = "Organization console"
    no_session_text = NOT_MANAGED.text
    not_set_up_text = CONSOLE_IS_OFF.text

    @cached_property
    def console(self) -> Console:
        """The console for the user of the request. Raise an error with the status 404 if the site has none."""
        try:
            return Console(self.request._request)
        except ConfigurationError as error:
            raise self.not_set_up(error, status=404) from error

    def joined(self, organization: OwnOrganization) -> dict[str, Any]:
        """Return the JSON about an organization that the user has just joined, with the URL of a sign-in.

        Logto gives a session the permissions of API resources at a sign-in only. The URL is empty if the user has got
        no such permission.
        """
        url = ""
        try:
            if self.console.needs_round_trip(organization.roles):
                url = url_of_sign_in(self.request._request, prompt="consent")
        except LogtoError as error:
            # The change is done. The permissions follow at the next sign-in.
            logger.warning("Organization console: a call to Logto failed with %s (%s)", error.status, error.code)
        return {**OwnOrganizationSerializer(organization).data, "sign_in_url": url}

    def refusal_response(self, error: Refusal) -> Response:
        """Return the response to a refusal of the console: with what was done, and with the permission to request."""
        principal = request_principal(self.request._request)
        if isinstance(error, NotPermitted) and isinstance(principal, TokenPrincipal):
            _name_scope(principal, self.console.rules.guards.get(error.right))
        return super().refusal_response(error)

    @classmethod
    def refused(cls, error: Refusal, **details: Any) -> Response:
        """Return the response to a refusal, with what the error knows beside its sentence."""
        if isinstance(error, AlreadyInvited):
            details["invitation_id"] = error.invitation_id
        if isinstance(error, Incomplete):
            details["done"] = [str(each) for each in error.done]
        return super().refused(error, **details)


class OrganizationView(ConsoleView):
    """An endpoint of one organization, whose id is in the URL."""

    @cached_property
    def organization(self) -> ManagedOrganization:
        """The organization in the URL. Raise NotAMember."""
        return self.console.organization(self.kwargs["organization_id"])


def _name_scope(principal: TokenPrincipal, guard: Guard) -> None:
    """Let `LogtoMiddleware` add the challenge that names the missing permission, if a permission guards the right."""
    if isinstance(guard, str):
        missing = MissingRequirement(kind=RequirementKind.ORGANIZATION_SCOPE, names=(guard,))
        principal.error_response = ErrorResponse.insufficient(missing)

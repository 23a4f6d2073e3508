"""Mixins for class-based views with sync or async methods. Put them to the left of the view's own class.

They have the same rules as `decorators`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from .access.requirements import Requirement
from .account.verification import require_verification
from .decorators import require_recent_sign_in, require_session, require_token
from .exceptions import ConfigurationError

__all__ = [
    "AccessTokenRequiredMixin",
    "CheckedView",
    "OrganizationRequiredMixin",
    "OrganizationRoleRequiredMixin",
    "OrganizationScopeRequiredMixin",
    "OrganizationTokenRequiredMixin",
    "RecentSignInRequiredMixin",
    "RequirementMixin",
    "RoleRequiredMixin",
    "ScopeRequiredMixin",
    "SessionRequirementMixin",
    "VerificationRequiredMixin",
]


class CheckedView(View):
    """Run the view unless `check` returns a response. Each mixin calls the `check` of the next one too."""

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        """Return None if the view may run, else the response to send instead. It may use the database."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.view_is_async:
            return self._dispatch_async(request, *args, **kwargs)  # type: ignore[return-value]
        return self.check(request) or super().dispatch(request, *args, **kwargs)

    async def _dispatch_async(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = await sync_to_async(self.check)(request)
        return response or await super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class RecentSignInRequiredMixin(CheckedView):
    """Run the view only for a user who has signed in at Logto within `max_age` seconds; see the decorator."""

    max_age = 300

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        return require_recent_sign_in(request, self.max_age) or super().check(request)


class VerificationRequiredMixin(CheckedView):
    """Run the view only for a user who has just proved who they are; see the decorator."""

    requires_verification = True

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        return require_verification(request) or super().check(request)


class RequirementMixin(CheckedView):
    """The requirements of a view, as attributes. The requirements of several mixins add up."""

    scopes_required: Sequence[str] | None = ()
    roles_required: Sequence[str] | None = None
    organization_required = False
    organization_roles_required: Sequence[str] | None = None
    organization_scopes_required: Sequence[str] | None = ()

    def get_requirement(self) -> Requirement:
        """Return the requirement of this request. Override it if the requirement depends on the request.

        Raise ConfigurationError if the attribute that a mixin needs is not set.
        """
        for name in ("scopes_required", "organization_scopes_required"):
            if getattr(self, name) is None:
                raise ConfigurationError(f"{type(self).__name__}.{name} must be set, or get_requirement() overridden.")
        return Requirement.of(
            scopes=self.scopes_required,
            roles=self.roles_required,
            organization=self.organization_required,
            organization_roles=self.organization_roles_required,
            organization_scopes=self.organization_scopes_required,
        )


class SessionRequirementMixin(RequirementMixin):
    """For pages: the signed-in user must meet the requirement. Responses as for `scope_required`."""

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        return require_session(request, self.get_requirement()) or super().check(request)


class ScopeRequiredMixin(SessionRequirementMixin):
    """Set `scopes_required`: all of them are required."""

    scopes_required: Sequence[str] | None = None


class RoleRequiredMixin(SessionRequirementMixin):
    """Set `roles_required`: any one suffices."""

    roles_required: Sequence[str] | None = ()


class OrganizationRequiredMixin(SessionRequirementMixin):
    """Run the view only for a member of the current organization."""

    organization_required = True


class OrganizationRoleRequiredMixin(OrganizationRequiredMixin):
    """Set `organization_roles_required`: any one suffices."""

    organization_roles_required: Sequence[str] | None = ()


class OrganizationScopeRequiredMixin(OrganizationRequiredMixin):
    """Set `organization_scopes_required`: all of them are required."""

    organization_scopes_required: Sequence[str] | None = None


class AccessTokenRequiredMixin(RequirementMixin):
    """For APIs: run the view only with an access token for `resource`, by default `LOGTO_API_RESOURCE`."""

    resource: str | None = None
    of_organization = False
    accepts_machines = True

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        # A session does not authenticate here, so the view needs no CSRF token and no redirect to the sign-in.
        view: Callable[..., HttpResponseBase] = csrf_exempt(login_not_required(super().as_view(**initkwargs)))
        return view

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        response = require_token(
            request,
            self.get_requirement(),
            resource=self.resource,
            of_organization=self.of_organization,
            accepts_machines=self.accepts_machines,
        )
        return response or super().check(request)


class OrganizationTokenRequiredMixin(AccessTokenRequiredMixin):
    """Run the view only with an organization token. Set `organization_scopes_required`: all of them are required."""

    of_organization = True
    organization_required = True

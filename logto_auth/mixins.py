"""What a class-based view can demand: the mixins beside `decorators`, to the left of the view's own class.

For views with sync and with async methods.
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
from .decorators import demand_recent_sign_in, demand_session, demand_token


class CheckedView(View):
    """Runs the view unless `check` has another answer. Each mixin asks the next one too, so that none is left out."""

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        """None when the view may run; else the answer to give in its place. May use the database."""
        return None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.view_is_async:
            return self._checked_async(request, *args, **kwargs)  # type: ignore[return-value]
        return self.check(request) or super().dispatch(request, *args, **kwargs)

    async def _checked_async(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = await sync_to_async(self.check)(request)
        return answer or await super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


class RecentSignInRequiredMixin(CheckedView):
    """Runs the view only for somebody who has signed in at Logto within `max_age` seconds; see the decorator."""

    max_age = 300

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        return demand_recent_sign_in(request, self.max_age) or super().check(request)


class DemandMixin(CheckedView):
    """Runs the view only for whoever meets all of these demands; several mixins of this kind add up."""

    scopes_required: Sequence[str] = ()
    roles_required: Sequence[str] | None = None
    organization_required = False
    organization_roles_required: Sequence[str] | None = None
    organization_scopes_required: Sequence[str] = ()

    def get_demand(self) -> Requirement:
        """What is demanded of this request; for a view whose demand depends on it."""
        return Requirement.of(
            scopes=self.scopes_required,
            roles=self.roles_required,
            organization=self.organization_required,
            organization_roles=self.organization_roles_required,
            organization_scopes=self.organization_scopes_required,
        )


class SessionRequirementMixin(DemandMixin):
    """For pages: demands of the person who is signed in. What they lack, the answer says; see `scope_required`."""

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        return demand_session(request, self.get_demand()) or super().check(request)


class ScopeRequiredMixin(SessionRequirementMixin):
    """Set `scopes_required`: all are needed."""


class RoleRequiredMixin(SessionRequirementMixin):
    """Set `roles_required`: any one is enough."""

    roles_required: Sequence[str] | None = ()


class OrganizationRequiredMixin(SessionRequirementMixin):
    """Runs the view only for a member of the current organization."""

    organization_required = True


class OrganizationRoleRequiredMixin(OrganizationRequiredMixin):
    """Set `organization_roles_required`: any one is enough."""

    organization_roles_required: Sequence[str] | None = ()


class OrganizationScopeRequiredMixin(OrganizationRequiredMixin):
    """Set `organization_scopes_required`: all are needed."""


class AccessTokenRequiredMixin(DemandMixin):
    """For APIs: runs the view only with an access token, for `resource` or else for `LOGTO_API_RESOURCE`."""

    resource: str | None = None
    of_organization = False
    accepts_machines = True

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        # Sessions do not count here, so neither a CSRF token nor a sign-in page would be of any use.
        view: Callable[..., HttpResponseBase] = csrf_exempt(login_not_required(super().as_view(**initkwargs)))
        return view

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        answer = demand_token(
            request,
            self.get_demand(),
            resource=self.resource,
            of_organization=self.of_organization,
            accepts_machines=self.accepts_machines,
        )
        return answer or super().check(request)


class OrganizationTokenRequiredMixin(AccessTokenRequiredMixin):
    """The same with an organization token. Set `organization_scopes_required`: all are needed."""

    of_organization = True
    organization_required = True

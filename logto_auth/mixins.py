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

from .access.requirements import Requirement, SecondFactor
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
    "SecondFactorRequiredMixin",
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
    second_factor_required = False
    """True if the user must have signed in with a second factor; each of the two attributes below implies it."""
    second_factor_methods: Sequence[str] | None = None
    """The second factors that count, by Logto's names; None: all."""
    second_factor_max_age: int | None = None
    """How many seconds ago the user may have used it; None: at any time in this session at Logto."""
    clients_required: Sequence[str] | None = None
    """App IDs, and URLs of clients, of the applications that may call: any one suffices. None: all."""
    third_party_allowed = True
    """False refuses third-party applications."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        view: Callable[..., HttpResponseBase] = super().as_view(**initkwargs)
        # A mistake in the attributes is found when the URLs are loaded. The mark is for the system check.
        instance = cls(**initkwargs)
        Requirement.of(clients=instance.clients_required)
        if instance.get_second_factor() is not None:
            view.requires_second_factor = True  # type: ignore[attr-defined]
        return view

    def get_second_factor(self) -> SecondFactor | None:
        """Return the second factor that the attributes require, or None. Raise ValueError for an invalid one."""
        methods, max_age = self.second_factor_methods, self.second_factor_max_age
        if methods is None and max_age is None and not self.second_factor_required:
            return None
        return SecondFactor.of(methods, max_age)

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
            second_factor=self.get_second_factor(),
            clients=self.clients_required,
            third_party=None if self.third_party_allowed else False,
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


class SecondFactorRequiredMixin(SessionRequirementMixin):
    """Run the view only for a user who has signed in with a second factor; see the decorator.

    Set `second_factor_methods` or `second_factor_max_age` to require more.
    """

    second_factor_required = True


class AccessTokenRequiredMixin(RequirementMixin):
    """For APIs: run the view only with an access token for `resource`, by default `LOGTO_API_RESOURCE`."""

    resource: str | None = None
    of_organization = False
    accepts_machines = True
    accepts_api_keys = False
    """Whether an API key of a user is accepted in place of the token: see the decorator."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        # A session does not authenticate here, so the view needs no CSRF token and no redirect to the sign-in.
        view: Callable[..., HttpResponseBase] = csrf_exempt(login_not_required(super().as_view(**initkwargs)))
        # For the system checks.
        for mark, name in (
            ("api_resource", "resource"),
            ("accepts_api_keys", "accepts_api_keys"),
            ("of_organization", "of_organization"),
        ):
            setattr(view, mark, initkwargs.get(name, getattr(cls, name)))
        if not initkwargs.get("third_party_allowed", cls.third_party_allowed):
            view.refuses_third_parties = True  # type: ignore[attr-defined]
        return view

    def get_second_factor(self) -> SecondFactor | None:
        """See `RequirementMixin`. Raise ValueError for a `second_factor_max_age`, which no token can meet."""
        return Requirement(second_factor=super().get_second_factor()).for_token().second_factor

    def check(self, request: HttpRequest) -> HttpResponseBase | None:
        response = require_token(
            request,
            self.get_requirement(),
            resource=self.resource,
            of_organization=self.of_organization,
            accepts_machines=self.accepts_machines,
            accepts_api_keys=self.accepts_api_keys,
        )
        return response or super().check(request)


class OrganizationTokenRequiredMixin(AccessTokenRequiredMixin):
    """Run the view only with an organization token. Set `organization_scopes_required`: all of them are required."""

    of_organization = True
    organization_required = True

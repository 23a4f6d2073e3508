"""Django Ninja: `LogtoAuth`, for an API, a router or a single operation, sync or async.

    @api.post("/books", auth=LogtoAuth("write:books"))
    def add_book(request, book: BookIn): ...

Needs the extra `ninja`.
"""

from __future__ import annotations

from typing import Any

try:
    from ninja.errors import HttpError
    from ninja.security.http import HttpAuthBase
except ImportError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[ninja]"') from error

from django.http import HttpRequest

from logto_auth.access.requirements import Requirement
from logto_auth.api.authentication import TokenPrincipal, authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.exceptions import LogtoError
from logto_auth.sessions.principal import request_principal

__all__ = ["LogtoAuth", "LogtoOrganizationAuth"]


class LogtoAuth(HttpAuthBase):
    """Run an operation only with an access token for `LOGTO_API_RESOURCE` that has all `scopes`.

    In the operation, `request.auth` and `request.logto` are the `TokenPrincipal`, and `request.user` is the account or
    a `Machine`. With `accepts_api_keys=True`, an API key of a user (`pat_...`) is accepted in place of the token, with
    no more permissions than the requirement names. `requirements` are further arguments of `access.Requirement`. A
    request without a token is passed to the next authenticator. Ninja cannot add headers to its errors, so
    `LogtoMiddleware` adds the challenge.
    """

    openapi_scheme = "bearer"
    openapi_bearerFormat = "JWT"

    resource: str | None = None
    """The indicator of the API; None: `LOGTO_API_RESOURCE`."""
    of_organization = False
    accepts_machines = True
    accepts_api_keys = False

    def __init__(self, *scopes: str, accepts_api_keys: bool | None = None, **requirements: Any) -> None:
        super().__init__()
        if accepts_api_keys is not None:
            self.accepts_api_keys = accepts_api_keys
        self.requirement = self.make_requirement(scopes, **requirements).for_token()

    def make_requirement(self, scopes: tuple[str, ...], **requirements: Any) -> Requirement:
        """Return what the token must meet."""
        return Requirement.of(scopes=scopes, **requirements)

    def __call__(self, request: HttpRequest) -> TokenPrincipal | None:
        try:
            principal = authenticate(
                request,
                resource=self.resource,
                of_organization=self.of_organization,
                accepts_machines=self.accepts_machines,
                accepts_api_keys=self.accepts_api_keys,
                key_scopes=self.requirement.all_scopes,
            )
        except LogtoError as error:
            raise self._refused(request, ErrorResponse.of(error)) from error
        if principal is None:
            self._refused(request, ErrorResponse.without_token())
            return None
        if unmet := ErrorResponse.unmet(self.requirement, principal):
            raise self._refused(request, unmet)
        return principal

    def _refused(self, request: HttpRequest, error: ErrorResponse) -> HttpError:
        """Let `LogtoMiddleware` add the challenge of `error`, and return the exception for Ninja."""
        error = error.for_view(scopes=self.requirement.all_scopes, resource=self.resource)
        request_principal(request).error_response = error
        return HttpError(error.status, error.description)


class LogtoOrganizationAuth(LogtoAuth):
    """Like `LogtoAuth`, with an organization token, whose scopes are permissions in the organization.

    If the path has an `organization_id`, it must be that of the token.
    """

    of_organization = True

    def make_requirement(self, scopes: tuple[str, ...], **requirements: Any) -> Requirement:
        return Requirement.of(organization=True, organization_scopes=scopes, **requirements)

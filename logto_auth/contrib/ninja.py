"""For Django Ninja: `LogtoAuth`, for an API, a router or a single operation, sync or async.

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


class LogtoAuth(HttpAuthBase):
    """Lets an operation run with an access token for `LOGTO_API_RESOURCE` that holds all `scopes`.

    `request.auth` and `request.logto` are the `TokenPrincipal` then, `request.user` the account or a `Machine`. Further
    requirements are those of `access.Requirement`. A request without a token is left to the next authenticator.
    `LogtoMiddleware` adds the challenge to refusals, for which Ninja has no place.
    """

    openapi_scheme = "bearer"
    openapi_bearerFormat = "JWT"

    resource: str | None = None
    """The indicator of the API; None: `LOGTO_API_RESOURCE`."""
    of_organization = False
    accepts_machines = True

    def __init__(self, *scopes: str, **demands: Any) -> None:
        super().__init__()
        self.demand = self.make_demand(scopes, **demands)

    def make_demand(self, scopes: tuple[str, ...], **demands: Any) -> Requirement:
        """What the token has to be good for."""
        return Requirement.of(scopes=scopes, **demands)

    def __call__(self, request: HttpRequest) -> TokenPrincipal | None:
        try:
            caller = authenticate(
                request,
                resource=self.resource,
                of_organization=self.of_organization,
                accepts_machines=self.accepts_machines,
            )
        except LogtoError as error:
            raise _refused(request, ErrorResponse.of(error)) from error
        if caller is None:
            request.logto_refusal = ErrorResponse.without_token()  # type: ignore[attr-defined]
            return None
        if missing := self.demand.missing_from(caller):
            raise _refused(request, ErrorResponse.insufficient(missing))
        return caller


class LogtoOrganizationAuth(LogtoAuth):
    """The same with an organization token, whose scopes are permissions in the organization; if the path has an
    `organization_id`, that has to be the token's."""

    of_organization = True

    def make_demand(self, scopes: tuple[str, ...], **demands: Any) -> Requirement:
        return Requirement.of(organization=True, organization_scopes=scopes, **demands)


def _refused(request: HttpRequest, refusal: ErrorResponse) -> HttpError:
    request.logto_refusal = refusal  # type: ignore[attr-defined]
    return HttpError(refusal.status, refusal.description)

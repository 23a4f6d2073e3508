"""Bearer error responses (RFC 6750, section 3; RFC 9470), which name the metadata of the API (RFC 9728)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override

from logto_auth.access.principal import Principal
from logto_auth.access.requirements import MissingRequirement, Requirement, RequirementKind
from logto_auth.conf import conf
from logto_auth.exceptions import (
    AuthorizationHeaderError,
    LogtoError,
    ProviderError,
    SignInRefused,
    TokenError,
    TooManyRequests,
)
from logto_auth.sign_in.start import absolute_uri

from .resources import path_of, resource_at

__all__ = ["ErrorResponse", "metadata_url"]

logger = logging.getLogger("logto_auth")

# RFC 6750, section 3: the characters that are not allowed in the quoted values of a challenge.
NOT_QUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
MAX_DESCRIPTION_LENGTH = 500
RETRY_AFTER_SECONDS = 30
# Texts for API clients where the text of the 403 page would not help.
TEXTS_FOR_TOKENS = {
    RequirementKind.ORGANIZATION: "An organization token is required: request one from Logto with organization_id.",
    RequirementKind.SECOND_FACTOR: "The user has to sign in again at Logto, by an authorization request with "
    "prompt=login consent, and with one of these second factors: %(names)s.",
    RequirementKind.CLIENT: "This API does not accept the application %(names)s, which requested the token.",
}
# By the code of `SignInRefused`.
REFUSED = {
    "account_disabled": "The account of this user is deactivated on this site.",
    "account_unknown": "This user has no account on this site, and the API does not create one.",
    "machine_refused": "This API accepts only access tokens of users.",
    # Only for API keys: a token that lacks the organization does not meet a requirement.
    "organization_required": "An API key is accepted here only for an organization that the URL selects, and only if "
    "Logto gives the user of the key access to that organization.",
}
# Error codes that a challenge may contain (RFC 6750, section 3.1; RFC 9470, section 3); the others are for the body
# only.
CHALLENGE_ERRORS = {"invalid_request", "invalid_token", "insufficient_scope", "insufficient_user_authentication"}


@dataclass(frozen=True, kw_only=True)
class ErrorResponse:
    """The response to an API call that is refused."""

    status: int
    error: str
    """A code of RFC 6750 or RFC 9470, or one of this package if there is none."""
    description: str
    """A sentence in English: what was expected, what was received, what to do."""
    scopes: tuple[str, ...] = ()
    """Permissions that the client has to request: those that the view requires, or else those that the token lacks."""
    resource: str | None = None
    """The API resource of the view; None: `LOGTO_API_RESOURCE`."""
    retry_after_seconds: int | None = None

    @classmethod
    def without_token(cls) -> ErrorResponse:
        """Return the response to a request without credentials."""
        return cls(
            status=401,
            error="access_token_required",
            description="Send an access token of Logto in the header `Authorization: Bearer <token>`.",
        )

    @classmethod
    def of(cls, error: LogtoError) -> ErrorResponse:
        """Return the response to an error of `authenticate`, and log the error."""
        level = logging.ERROR if isinstance(error, ProviderError) else logging.WARNING
        logger.log(level, "An API call was refused: %s (%s)", error, error.code, extra={"code": error.code})
        if isinstance(error, ProviderError):
            return cls(
                status=503,
                error="temporarily_unavailable",
                description="The access token cannot be checked at the moment. Try again later.",
                retry_after_seconds=error.retry_after_seconds or RETRY_AFTER_SECONDS,
            )
        if isinstance(error, TooManyRequests):
            return cls(
                status=429,
                error=error.code,
                description=str(error),
                retry_after_seconds=error.retry_after_seconds,
            )
        if isinstance(error, AuthorizationHeaderError):
            return cls(status=400, error="invalid_request", description=str(error))
        if isinstance(error, TokenError):
            return cls(status=401, error="invalid_token", description=str(error))
        description = _description_of(error)
        if error.code == "account_disabled":
            return cls(status=401, error="invalid_token", description=description)
        return cls(status=403, error=error.code, description=description)

    @classmethod
    def insufficient(cls, missing: MissingRequirement) -> ErrorResponse:
        """Return the response to a valid token that does not meet a requirement."""
        scopes = missing.names if missing.kind in (RequirementKind.SCOPE, RequirementKind.ORGANIZATION_SCOPE) else ()
        # The description goes into a header, which must be ASCII.
        with override("en"):
            text = str(missing)
        if missing.kind in TEXTS_FOR_TOKENS:
            text = TEXTS_FOR_TOKENS[missing.kind] % {"names": ", ".join(missing.names)}
        description = f"The access token does not meet a requirement. {text}"
        if missing.kind is RequirementKind.SECOND_FACTOR:
            return cls(status=401, error="insufficient_user_authentication", description=description)
        if missing.kind is RequirementKind.CLIENT:
            # Not `insufficient_scope`: clients would ask the user for further scopes, and be refused again.
            return cls(status=403, error="client_refused", description=description)
        return cls(status=403, error="insufficient_scope", description=description, scopes=scopes)

    @classmethod
    def unmet(cls, requirement: Requirement, principal: Principal) -> ErrorResponse | None:
        """Return the response if the principal of a token does not meet `requirement`, else None.

        Also if Logto cannot be asked whether it does: then the response is a 503.
        """
        try:
            missing = requirement.missing_from(principal)
        except LogtoError as error:
            return cls.of(error)
        return cls.insufficient(missing) if missing else None

    def for_view(self, *, scopes: Iterable[str] = (), resource: str | None = None) -> ErrorResponse:
        """Return this response with the API resource of a view, and with the permissions that the view requires.

        A 401 and a response to missing permissions contain them all: a client that requests only the missing ones would
        lose the others. For other refusals, no permission would help.
        """
        is_about_scopes = self.status == 401 or bool(self.scopes)
        scopes = tuple(dict.fromkeys([*scopes, *self.scopes])) if is_about_scopes else ()
        return replace(self, scopes=scopes, resource=resource or self.resource)

    def headers(self, request: HttpRequest) -> dict[str, str]:
        """Return the headers of the response. It is never cached, and never framed: it may be a browsable page."""
        headers = {"Cache-Control": "no-store", "X-Frame-Options": "DENY"}
        if self.retry_after_seconds is not None:
            headers["Retry-After"] = str(self.retry_after_seconds)
        else:
            headers["WWW-Authenticate"] = self.challenge(request)
        return headers

    def challenge(self, request: HttpRequest) -> str:
        """Return the value of `WWW-Authenticate`. It contains the URL of the metadata if the site serves it."""
        parameters = {"scope": " ".join(self.scopes), "resource_metadata": metadata_url(request, self.resource)}
        if self.error in CHALLENGE_ERRORS:
            parameters = {"error": self.error, "error_description": self.description, **parameters}
        quoted = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters.items() if value)
        return f"Bearer {quoted}" if quoted else 'Bearer realm="Logto"'


def _description_of(error: LogtoError) -> str:
    """Return a text for the API client. The text of the error itself is for the operator's log."""
    if isinstance(error, SignInRefused) and error.visitor_message:
        return error.visitor_message
    return REFUSED.get(error.code, "This site does not accept the account of the access token.")


def _quotable(text: str) -> str:
    return NOT_QUOTABLE.sub("'", text)[:MAX_DESCRIPTION_LENGTH]


def metadata_url(request: HttpRequest, resource: str | None = None) -> str:
    """Return the URL at which this site serves the metadata of `resource`, by default of `LOGTO_API_RESOURCE`.

    Return "" if the site does not serve it: the resource is not declared, or the URL is that of another one.
    """
    resource = resource or conf.api_resource
    path = path_of(resource)
    if not resource or resource_at(path) != resource:
        return ""
    try:
        # RFC 9728, section 3.1: the path of the resource follows the well-known path.
        location = reverse("logto_auth:protected-resource-metadata", kwargs={"resource_path": path} if path else {})
    except NoReverseMatch:
        return ""
    return absolute_uri(request, location)

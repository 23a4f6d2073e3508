"""What a request is told that brought no access token, or none that is good enough (RFC 6750, section 3; RFC 9728)."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override

from logto_auth.access.requirements import MissingRequirement, RequirementKind
from logto_auth.conf import conf
from logto_auth.exceptions import AuthorizationHeaderError, LogtoError, ProviderError, SignInRefused, TokenError
from logto_auth.sign_in.start import absolute_uri

logger = logging.getLogger("logto_auth")

# RFC 6750, section 3: what may stand between the quotes of a challenge.
NOT_QUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")
MAX_DESCRIPTION_LENGTH = 500
RETRY_AFTER_SECONDS = 30
# What a page says of it would not help somebody who has a token in hand.
OF_TOKENS = {
    RequirementKind.ORGANIZATION: "An organization token is required: request one from Logto with organization_id.",
}
# By the code of a SignInRefused of ours.
REFUSED = {
    "account_disabled": "The account of this person is disabled on this site.",
    "account_unknown": "No account here belongs to this person, and none is made.",
    "machine_refused": "This API takes access tokens of people only.",
}
# Errors that a challenge may name; the others are for the body.
RFC_6750_ERRORS = {"invalid_request", "invalid_token", "insufficient_scope"}


@dataclass(frozen=True, kw_only=True)
class ErrorResponse:
    """An answer to an API call that is not carried out."""

    status: int
    error: str
    """RFC 6750's code, or one of ours where it has none."""
    description: str
    """A sentence in English: what was expected, what came, what to do."""
    scopes: tuple[str, ...] = ()
    """Permissions that the token lacks."""
    retry_after_seconds: int | None = None

    @classmethod
    def without_token(cls) -> ErrorResponse:
        """For a request without credentials."""
        return cls(
            status=401,
            error="access_token_required",
            description="Send an access token of Logto in the header: `Authorization: Bearer <token>`.",
        )

    @classmethod
    def of(cls, error: LogtoError) -> ErrorResponse:
        """The answer to an error of `bearer.authenticate`, which is logged here."""
        level = logging.ERROR if isinstance(error, ProviderError) else logging.WARNING
        logger.log(level, "An API call was refused: %s (%s)", error, error.code, extra={"code": error.code})
        if isinstance(error, ProviderError):
            return cls(
                status=503,
                error="temporarily_unavailable",
                description="The access token cannot be checked at the moment. Try again in a little while.",
                retry_after_seconds=error.retry_after_seconds or RETRY_AFTER_SECONDS,
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
        """For a token that is good, but not for this."""
        scopes = missing.names if missing.kind in (RequirementKind.SCOPE, RequirementKind.ORGANIZATION_SCOPE) else ()
        # A header takes no other alphabet than this one.
        with override("en"):
            description = f"The access token is not enough for this. {OF_TOKENS.get(missing.kind, missing)}"
        return cls(status=403, error="insufficient_scope", description=description, scopes=scopes)

    def headers(self, request: HttpRequest) -> dict[str, str]:
        """The headers of the answer."""
        headers = {"Cache-Control": "no-store"}
        if self.retry_after_seconds is not None:
            headers["Retry-After"] = str(self.retry_after_seconds)
        else:
            headers["WWW-Authenticate"] = self.challenge(request)
        return headers

    def challenge(self, request: HttpRequest) -> str:
        """The value of `WWW-Authenticate`. It names the metadata of this API, where the site serves it."""
        parameters = {"scope": " ".join(self.scopes), "resource_metadata": metadata_url(request)}
        if self.error in RFC_6750_ERRORS:
            parameters = {"error": self.error, "error_description": self.description, **parameters}
        quoted = ", ".join(f'{name}="{_quotable(value)}"' for name, value in parameters.items() if value)
        return f"Bearer {quoted}" if quoted else 'Bearer realm="Logto"'


def _description_of(error: LogtoError) -> str:
    """What a caller is told of a site that does not want them. The text of the error is for the operator."""
    if isinstance(error, SignInRefused) and error.visitor_message:
        return error.visitor_message
    return REFUSED.get(error.code, "This site does not accept the account of the access token.")


def _quotable(text: str) -> str:
    return NOT_QUOTABLE.sub("'", text)[:MAX_DESCRIPTION_LENGTH]


def metadata_url(request: HttpRequest) -> str:
    """Where this site serves the metadata of its API; empty when it does not."""
    if not conf.api_resource:
        return ""
    path = urlsplit(conf.api_resource).path.strip("/")
    try:
        # RFC 9728, section 3.1: the path of the resource comes after the well-known one.
        location = reverse("logto_auth:protected-resource-metadata", kwargs={"resource_path": path} if path else {})
    except NoReverseMatch:
        return ""
    return absolute_uri(request, location)

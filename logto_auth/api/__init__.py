"""APIs of this site that accept access tokens of Logto: authentication, error responses and metadata."""

from .authentication import Machine, TokenHttpRequest, TokenPrincipal, aauthenticate, authenticate
from .errors import ErrorResponse

__all__ = ["ErrorResponse", "Machine", "TokenHttpRequest", "TokenPrincipal", "aauthenticate", "authenticate"]

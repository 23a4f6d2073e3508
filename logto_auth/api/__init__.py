"""APIs of this site that accept Logto's access tokens."""

from .authentication import Machine, TokenPrincipal, aauthenticate, authenticate
from .errors import ErrorResponse

__all__ = ["ErrorResponse", "Machine", "TokenPrincipal", "aauthenticate", "authenticate"]

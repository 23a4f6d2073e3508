"""Signed-in sessions: their tokens, how they are refreshed and revalidated, and how they end."""

from .outgoing import MachineToken, UserToken
from .principal import LogtoHttpRequest, SessionPrincipal, SignedInSession

__all__ = ["LogtoHttpRequest", "MachineToken", "SessionPrincipal", "SignedInSession", "UserToken"]

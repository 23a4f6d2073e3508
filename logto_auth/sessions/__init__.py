"""Signed-in sessions: their tokens, how they are refreshed and revalidated, and how they end."""

from .context import LogtoHttpRequest, SessionPrincipal, SignedInSession
from .outgoing import MachineToken, UserToken

__all__ = ["LogtoHttpRequest", "MachineToken", "SessionPrincipal", "SignedInSession", "UserToken"]

"""Signed-in sessions: their tokens (`store`), `refresh`, `revalidate`, and how they end (`ending`, `backchannel`).

`request.logto` of a signed-in user is a `SessionPrincipal`. `UserToken` and `MachineToken` call other APIs.
"""

from .outgoing import MachineToken, UserToken
from .principal import LogtoHttpRequest, SessionPrincipal, SignedInSession

__all__ = ["LogtoHttpRequest", "MachineToken", "SessionPrincipal", "SignedInSession", "UserToken"]

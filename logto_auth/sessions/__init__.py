"""Signed-in sessions: their tokens (`store`), `refresh`, `revalidate`, and how they end (`ending`, `backchannel`).

`request.logto` of a signed-in user is a `SessionPrincipal`. `UserToken` and `MachineToken` call other APIs.
`keep_logto_session` is for code that lets staff act as another user.
"""

from .outgoing import MachineToken, UserToken
from .principal import LogtoHttpRequest, SessionPrincipal, SignedInSession, keep_logto_session

__all__ = [
    "LogtoHttpRequest",
    "MachineToken",
    "SessionPrincipal",
    "SignedInSession",
    "UserToken",
    "keep_logto_session",
]

"""The variable `logto` in templates."""

from __future__ import annotations

from django.http import HttpRequest

from .access import Principal
from .sessions.principal import request_principal

__all__ = ["logto"]


def logto(request: HttpRequest) -> dict[str, Principal]:
    """Return `{"logto": request.logto}`."""
    return {"logto": request_principal(request)}

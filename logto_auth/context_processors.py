"""`logto` in templates."""

from __future__ import annotations

from django.http import HttpRequest

from .sessions.context import SessionPrincipal


def logto(request: HttpRequest) -> dict[str, SessionPrincipal]:
    """`{"logto": request.logto}`."""
    return {"logto": getattr(request, "logto", None) or SessionPrincipal(request)}

"""`logto` in templates."""

from __future__ import annotations

from django.http import HttpRequest

from .context import LogtoContext


def logto(request: HttpRequest) -> dict[str, LogtoContext]:
    """`{"logto": request.logto}`."""
    return {"logto": getattr(request, "logto", None) or LogtoContext(request)}

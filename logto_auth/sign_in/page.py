"""The pages of this package, and the headers that all of them have."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import get_script_prefix

__all__ = ["add_headers", "render_page"]


def render_page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """Return a page from a template of `logto_auth`, which is never cached or framed.

    The template knows the URL path of the home page as `home`.
    """
    context = {"home": get_script_prefix(), **context}
    response = render(request, f"logto_auth/{template}", context, status=status)
    add_headers(response)
    return response


def add_headers(response: HttpResponseBase) -> None:
    """Add the headers of pages and redirects of this package to `response`."""
    response["Cache-Control"] = "no-store"
    response["X-Frame-Options"] = "DENY"
    # The URL of the callback, which redirects, contains a code. A page needs its origin: without referrers, browsers
    # send `Origin: null` with its forms, and Django refuses them.
    response["Referrer-Policy"] = "no-referrer" if "Location" in response else "same-origin"

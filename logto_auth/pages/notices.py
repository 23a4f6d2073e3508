"""What users read after something was done: on the next page, or on a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from logto_auth.sign_in.page import add_headers, render_page

__all__ = ["Notice", "has_messages", "notices_response"]


class Notice(NamedTuple):
    """A sentence for the user."""

    text: str
    level: int = messages.SUCCESS


def notices_response(request: HttpRequest, notices: Sequence[Notice], next_url: str) -> HttpResponse:
    """Return the redirect to `next_url`, which shows the notices.

    A site without `django.contrib.messages` gets the page `account/returned.html`, with a link to `next_url`.
    """
    if notices and not has_messages(request):
        shown = [{"text": each.text, "level_tag": messages.DEFAULT_TAGS[each.level]} for each in notices]
        return render_page(request, "account/returned.html", {"notices": shown, "next_url": next_url})
    for notice in notices:
        messages.add_message(request, notice.level, notice.text)
    response = HttpResponseRedirect(next_url)
    add_headers(response)
    return response


def has_messages(request: HttpRequest) -> bool:
    """Return whether the site uses `django.contrib.messages`, and the request has passed its middleware."""
    return apps.is_installed("django.contrib.messages") and hasattr(request, "_messages")

"""The pages of the small site, and a middleware that names the process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from logto_auth.models import LogtoSession
from logto_auth.sessions.store import session_id
from logto_auth.signals import session_ended

from .deployment import ENDED_SESSIONS


def worker_middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: send the id of the process in `X-Worker`, and write it to a file if the request has `X-Mark`."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if mark := request.headers.get("X-Mark"):
            Path(os.environ["SCALE_MARKS"], mark).write_text(str(os.getpid()))
        response = get_response(request)
        response["X-Worker"] = str(os.getpid())
        return response

    return middleware


def page(request: HttpRequest) -> JsonResponse:
    time.sleep(float(request.GET.get("seconds", "0")))
    return JsonResponse({"user": request.user.get_username() or None})


def api_token(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(request.logto.access_token(resource=settings.LOGTO_RESOURCES[number]))


def basket(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        request.session["basket"] = request.POST["book"]
    return JsonResponse({"basket": request.session.get("basket")})


def age_session(request: HttpRequest) -> HttpResponse:
    """Make the session stale, as if an hour had passed."""
    LogtoSession.objects.filter(pk=session_id(request.session)).update(fresh_until=time.time())
    return HttpResponse()


def age_tokens(request: HttpRequest) -> HttpResponse:
    """Expire the access tokens only."""
    row = LogtoSession.objects.get(pk=session_id(request.session))
    tokens = row.tokens
    for token in tokens["access_tokens"].values():
        token["expires_at"] = 0
    row.tokens = tokens
    row.save()
    return HttpResponse()


def count_ended_session(**kwargs: object) -> None:
    """Write one byte for each time that the signal is sent, in any process."""
    with Path(os.environ["SCALE_MARKS"], ENDED_SESSIONS).open("ab") as file:
        file.write(b".")


session_ended.connect(count_ended_session)

urlpatterns = [
    path("", page),
    path("api-token/<int:number>", api_token),
    path("basket", basket),
    path("age-session", age_session),
    path("age-tokens", age_tokens),
    path("", include("logto_auth.urls")),
]

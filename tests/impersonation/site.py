"""A small site with support access, for `pytest.mark.urls`."""

from __future__ import annotations

import asyncio
from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import include, path

from logto_auth.exceptions import ImpersonationRefused, LogtoError
from logto_auth.impersonation import aend_impersonation, astart_impersonation, end_impersonation, start_impersonation

User = get_user_model()


def who(request: Any) -> JsonResponse:
    """Say who the user is, and who acts."""
    impersonation = request.impersonation
    return JsonResponse(
        {
            "user": request.user.get_username(),
            "sub": request.logto.sub,
            "impersonator": request.impersonator.get_username() if request.impersonator else None,
            "reason": impersonation.reason if impersonation else None,
            "note": request.session.get("note"),
        }
    )


def start(request: HttpRequest, username: str) -> HttpResponse:
    """Begin to act as a user."""
    seconds = request.POST.get("seconds")
    try:
        start_impersonation(
            request,
            User.objects.get(username=username),
            reason=request.POST.get("reason", "Ticket 4711"),
            seconds=int(seconds) if seconds else None,
        )
    except ImpersonationRefused as error:
        return JsonResponse({"error": error.code}, status=error.status)
    except LogtoError as error:
        return JsonResponse({"error": error.code, "text": str(error)}, status=error.status)
    return HttpResponseRedirect("/")


def leave(request: HttpRequest) -> HttpResponse:
    """Return to the staff member's own session."""
    staff = end_impersonation(request)
    return JsonResponse({"left": None if staff is None else staff.get_username()})


async def astart(request: HttpRequest, username: str) -> HttpResponse:
    """Begin to act as a user, in an async view."""
    user = await User.objects.aget(username=username)
    await astart_impersonation(request, user, reason="Ticket 4711")
    now = await request.auser()
    return JsonResponse({"user": now.get_username()})


async def aleave(request: HttpRequest) -> HttpResponse:
    """Return to the staff member's own session, in an async view."""
    staff = await aend_impersonation(request)
    await asyncio.sleep(0)
    now = await request.auser()
    return JsonResponse({"left": staff.get_username(), "user": now.get_username()})


def note(request: HttpRequest) -> HttpResponse:
    """Write into the session."""
    request.session["note"] = request.GET["note"]
    return HttpResponse("noted")


support_access = ([path("", who, name="start"), path("leave", leave, name="leave")], "logto_impersonation")

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("note", note),
    path("support-access/", include(support_access)),
    path("start/<str:username>", start),
    path("astart/<str:username>", astart),
    path("aleave", aleave),
]

"""A small site with support access, for `pytest.mark.urls`."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template import Context, Template
from django.urls import include, path

from logto_auth.account import account_url
from logto_auth.api_keys import ApiKeys
from logto_auth.audit import record_event
from logto_auth.conf import conf
from logto_auth.decorators import (
    access_token_required,
    recent_sign_in_required,
    role_required,
    second_factor_required,
    verification_required,
)
from logto_auth.exceptions import ImpersonationRefused, LogtoError
from logto_auth.impersonation import aend_impersonation, astart_impersonation, end_impersonation, start_impersonation
from logto_auth.sessions import keep_logto_session

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


def token(request: Any) -> HttpResponse:
    """Return an access token of the user for the API of this site."""
    return HttpResponse(request.logto.access_token(conf.api_resource))


def api_token(request: Any) -> HttpResponse:
    """Return the claims of an access token of the user for an API."""
    try:
        value = request.logto.access_token(request.GET["resource"], request.GET.get("organization"))
    except LogtoError as error:
        return JsonResponse({"error": error.code}, status=error.status)
    return JsonResponse(jwt.decode(value, options={"verify_signature": False}))


def rights(request: Any) -> JsonResponse:
    """Say what the user may do."""
    principal = request.logto
    return JsonResponse(
        {
            "roles": principal.roles,
            "organizations": [each.id for each in principal.organizations],
            "organization_roles": principal.organization_roles,
            "permissions": sorted(principal.permissions()),
            "may": request.user.has_perm("logto.read:books"),
            "may not": request.user.has_perm("logto.write:books"),
            "email": principal.claims.get("email"),
            "methods": principal.authentication_methods,
            "sessions": [
                [each.is_current, each.is_impersonation, str(each.impersonator or "")] for each in principal.sessions
            ],
        }
    )


def refused(request: Any, what: str) -> HttpResponse:
    """Try what only the user may do."""
    account, keys = request.logto.account, ApiKeys
    tries: dict[str, Any] = {
        "get": account.get,
        "update": lambda: account.update({"name": "Changed"}),
        "set_password": lambda: account.set_password("Another-4711"),
        "own_address": lambda: account.own_address("email"),
        "factors": account.factors,
        "sessions": account.sessions,
        "others": request.logto.end_other_sessions,
        "keys": lambda: keys(request).all(),
        "link": lambda: account_url(request, "password"),
    }
    tries[what]()
    return HttpResponse("done")


def sell(request: HttpRequest) -> HttpResponse:
    """Record what the user does."""
    by = {"actor": request.user} if "by" in request.GET else {}
    record_event("shop.sold", request, user=request.user, details={"book": 1}, **by)
    return HttpResponse()


def link(request: HttpRequest) -> HttpResponse:
    """A page with a link to Logto's Account Center."""
    return HttpResponse(Template('{% load logto %}[{% logto_account_link "password" %}]').render(_context(request)))


def _context(request: HttpRequest) -> Context:
    return Context({"request": request})


def hijack(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in another user, as packages for hijacking do."""
    login(request, User.objects.get(username=username), backend=request.session["_auth_user_backend"])
    keep_logto_session(request)
    return HttpResponse()


support_access = ([path("", who, name="start"), path("leave", leave, name="leave")], "logto_impersonation")

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("note", note),
    path("support-access/", include(support_access)),
    path("start/<str:username>", start),
    path("astart/<str:username>", astart),
    path("aleave", aleave),
    path("token", token),
    path("api-token", api_token),
    path("rights", rights),
    path("refused/<str:what>", refused),
    path("link", link),
    path("sell", sell),
    path("factor", second_factor_required(who)),
    path("recent", recent_sign_in_required()(who)),
    path("verified", verification_required(who)),
    path("role", role_required("editor")(who)),
    path("account/", include("logto_auth.account.urls")),
    path("keys/", include("logto_auth.api_keys.urls")),
    path("keys-api/", include("logto_auth.api_keys.api_urls")),
    path("organizations/", include("logto_auth.organizations.console.urls")),
    path("organizations-api/", include("logto_auth.organizations.console.api_urls")),
    path("hijack/<str:username>", hijack),
    path("api/start/<str:username>", access_token_required()(start)),
]

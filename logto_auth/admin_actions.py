"""Admin actions on users at Logto: suspend, reactivate, sign out everywhere. Support access begins here, too.

Staff see a message for each user that failed, with the reason. The account here changes at once, without waiting for
the webhook.

Each `manage.py` command imports the admin. So what sends requests to Logto is imported when an action runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .batches import Cause, batch
from .conf import conf
from .exceptions import ConfigurationError, LogtoError, ManagementAPIError
from .models import LogtoIdentity, LogtoSession, UserStatus
from .users import suspension
from .users.management_api import changed_at

if TYPE_CHECKING:
    from .management_api import ManagementAPI

__all__ = ["ACTIONS", "ManagesAtLogto", "console_url", "sign_out_everywhere"]

PERMISSION = "logto_auth.manage_at_logto"

# Changes one user at Logto and here, and returns a warning for staff or None.
Action: TypeAlias = "Callable[[ManagementAPI, LogtoIdentity], str | None]"


def may_manage_at_logto(request: HttpRequest) -> bool:
    """Return whether the actions are offered: the user has the permission and `LOGTO_M2M_APP_ID` is set."""
    return bool(conf.m2m_app_id) and request.user.has_perm(PERMISSION)


@admin.action(permissions=["change"], description=_("Sign out everywhere"))
def sign_out_everywhere(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """End all sessions of the selected users on this site."""
    with batch(Cause.STAFF, request):
        ended = LogtoSession.objects.filter(user__in=users).end(reason="ended_by_staff")
    message = ngettext("%(count)d session was ended.", "%(count)d sessions were ended.", ended) % {"count": ended}
    model_admin.message_user(request, message)


@admin.action(permissions=["manage_at_logto"], description=_("Suspend at Logto"))
def suspend_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> TemplateResponse | None:
    """Suspend the selected users at Logto and here, once staff have confirmed it: return the page that asks them."""
    if request.POST.get("confirmed") != "yes":
        context = {
            **model_admin.admin_site.each_context(request),
            "title": gettext("Suspend at Logto"),
            "opts": model_admin.model._meta,
            "users": users,
        }
        return TemplateResponse(request, "logto_auth/admin/confirm_suspension.html", context)

    def suspend(api: ManagementAPI, identity: LogtoIdentity) -> None:
        user = api.users.suspend(identity.sub)
        suspension.suspend(identity, UserStatus.SUSPENDED, changed_at(user) or time.time())

    _for_each(model_admin, request, users.exclude(pk=request.user.pk), suspend)
    if users.filter(pk=request.user.pk).exists():
        _warn(model_admin, request, gettext("You cannot suspend yourself here."))
    return None


@admin.action(permissions=["manage_at_logto"], description=_("Lift the suspension at Logto"))
def reactivate_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """Reactivate the selected users at Logto, and here those who were deactivated because of Logto."""

    def reactivate(api: ManagementAPI, identity: LogtoIdentity) -> str | None:
        user = api.users.suspend(identity.sub, is_suspended=False)
        suspension.reactivate(identity, changed_at(user) or time.time())
        if identity.user.is_active:
            return None
        return gettext(
            "The account stays inactive here, because staff deactivated it. Reactivate it on the page of the user."
        )

    _for_each(model_admin, request, users, reactivate)


@admin.action(permissions=["manage_at_logto"], description=_("Sign out everywhere, at Logto too"))
def sign_out_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """End all sessions of the selected users here and at Logto, with the tokens of these sessions."""

    def sign_out(api: ManagementAPI, identity: LogtoIdentity) -> None:
        LogtoSession.objects.filter(identity=identity).end(reason="ended_by_staff")
        for session in api.users.sessions(identity.sub):
            try:
                api.users.end_session(identity.sub, session["payload"]["uid"])
            except ManagementAPIError as error:
                if error.status != 404:  # 404: it has ended meanwhile.
                    raise

    _for_each(model_admin, request, users, sign_out)


def support_access_url(user_pk: Any) -> str:
    """Return the URL of the page on which staff start support access for a user; "" if the site does not have it."""
    from .pages.navigation import optional_url

    return optional_url("logto_impersonation:user", str(user_pk))


def may_open_support_access(request: HttpRequest) -> bool:
    """Return whether support access is offered: the site has its pages, and the user may act as others."""
    from .impersonation import may_impersonate

    return bool(support_access_url(request.user.pk)) and may_impersonate(request)


@admin.action(permissions=["impersonate"], description=_("Support access…"))
def open_support_access(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> HttpResponse | None:
    """Redirect to the page on which staff start support access for the selected user."""
    selected = list(users[:2])
    if len(selected) == 1:
        return HttpResponseRedirect(support_access_url(selected[0].pk))
    _warn(model_admin, request, gettext("Select one user: you act as one user at a time."))
    return None


ACTIONS = (suspend_at_logto, reactivate_at_logto, sign_out_at_logto, open_support_access)


class ManagesAtLogto:
    """Mixin for the user admin of a site that keeps its own admin site.

    Put it before `UserAdmin`, and add `ACTIONS` to the actions.
    """

    def has_manage_at_logto_permission(self, request: HttpRequest) -> bool:
        """Return whether the actions are offered."""
        return may_manage_at_logto(request)

    def has_impersonate_permission(self, request: HttpRequest) -> bool:
        """Return whether support access is offered."""
        return may_open_support_access(request)


def console_url(identity: LogtoIdentity) -> str:
    """Return the URL of the user in the Logto Console; empty if the URL of the console is unknown."""
    from .tenant.cloud import cloud_console

    console = conf.console_url.rstrip("/") or cloud_console(conf)
    return f"{console}/users/{quote(identity.sub, safe='')}" if console and identity.issuer == conf.issuer else ""


def _for_each(model_admin: Any, request: HttpRequest, users: QuerySet[Any], action: Action) -> None:
    """Run `action` for each user, and show staff a message for each user that failed."""
    from .clients import management_api

    try:
        api = management_api()
    except ConfigurationError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return
    done = 0
    selected = list(_with_identities(users))
    for number, (user, identities) in enumerate(selected):
        try:
            _check(request.user, user, identities)
            with batch(Cause.STAFF, request):
                remarks = [action(api, identity) for identity in identities]
        except _NotPossible as error:
            _warn(model_admin, request, f"{user}: {error}")
        except LogtoError as error:
            model_admin.message_user(request, f"{user}: {error}", messages.ERROR)
            if _affects_all(error):
                _report_skipped(model_admin, request, len(selected) - number - 1)
                break
        else:
            done += 1
            for remark in filter(None, remarks):
                _warn(model_admin, request, f"{user}: {remark}")
    if done:
        text = gettext("Done at Logto for %(done)d of %(chosen)d.") % {"done": done, "chosen": len(selected)}
        model_admin.message_user(request, text, messages.SUCCESS)


class _NotPossible(Exception):
    """The action is not possible for this user; the message says why."""


def _with_identities(users: QuerySet[Any]) -> Iterator[tuple[Any, list[LogtoIdentity]]]:
    """Return the users, each with their identities at this Logto. Two queries."""
    identities = LogtoIdentity.objects.filter(issuer=conf.issuer)
    for user in users.prefetch_related(Prefetch("logto_identities", identities, to_attr="identities_at_logto")):
        yield user, user.identities_at_logto


def _check(staff: Any, user: Any, identities: list[LogtoIdentity]) -> None:
    if not identities:
        raise _NotPossible(gettext("This user is not linked to a user at Logto."))
    if getattr(user, "is_superuser", False) and not getattr(staff, "is_superuser", False):
        raise _NotPossible(gettext("Only a superuser can do this to a superuser."))


def _affects_all(error: LogtoError) -> bool:
    """Return whether the next user would fail as well: Logto is unreachable or denies access to this site."""
    return not isinstance(error, ManagementAPIError) or error.status in (401, 403) or error.status >= 500


def _report_skipped(model_admin: Any, request: HttpRequest, count: int) -> None:
    if count:
        text = gettext("Stopped after this error. Users not changed: %(count)d.") % {"count": count}
        model_admin.message_user(request, text, messages.ERROR)


def _warn(model_admin: Any, request: HttpRequest, text: str) -> None:
    model_admin.message_user(request, text, messages.WARNING)

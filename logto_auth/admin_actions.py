"""What staff can do to people at Logto, from the list of users in the admin.

Each person is told of who could not be dealt with, and why. Here the same happens at once, without waiting for the
webhook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlsplit

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.timezone import now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .clients import management_api
from .conf import conf
from .exceptions import ConfigurationError, LogtoError, ManagementAPIError
from .management_api import ManagementAPI
from .management_api.client import CLOUD_DOMAIN
from .models import LogtoIdentity, LogtoSession, UserStatus
from .users import suspension
from .users.management_api import changed_at

PERMISSION = "logto_auth.manage_at_logto"
CLOUD_CONSOLE = "https://cloud.logto.io"

# What is done about one person: does it, and returns what there is to add.
Deed = Callable[[ManagementAPI, LogtoIdentity], str | None]


def may_manage_at_logto(request: HttpRequest) -> bool:
    """Whether the actions are offered: to those with the permission, where the site has an application for it."""
    return bool(conf.m2m_app_id) and request.user.has_perm(PERMISSION)


@admin.action(permissions=["manage_at_logto"], description=_("Suspend at Logto"))
def suspend_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """Suspend the chosen users at Logto, and shut them out here."""

    def suspend(api: ManagementAPI, identity: LogtoIdentity) -> None:
        user = api.users.suspend(identity.sub)
        suspension.suspend(identity, UserStatus.SUSPENDED, changed_at(user) or now())

    _for_each(model_admin, request, users.exclude(pk=request.user.pk), suspend)
    if users.filter(pk=request.user.pk).exists():
        _warn(model_admin, request, gettext("Nobody can suspend themselves here."))


@admin.action(permissions=["manage_at_logto"], description=_("Lift the suspension at Logto"))
def reactivate_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """Lift the suspension of the chosen users at Logto, and let those in again whom it had shut out here."""

    def reactivate(api: ManagementAPI, identity: LogtoIdentity) -> str | None:
        user = api.users.suspend(identity.sub, is_suspended=False)
        suspension.reactivate(identity, changed_at(user) or now())
        if identity.user.is_active:
            return None
        return gettext("The account stays disabled here: that was done on this site, and is undone on its page.")

    _for_each(model_admin, request, users, reactivate)


@admin.action(permissions=["manage_at_logto"], description=_("Sign out everywhere, at Logto too"))
def sign_out_at_logto(model_admin: Any, request: HttpRequest, users: QuerySet[Any]) -> None:
    """End all sessions of the chosen users here and at Logto, and what tokens were given in those."""

    def sign_out(api: ManagementAPI, identity: LogtoIdentity) -> None:
        LogtoSession.objects.filter(identity=identity).end()
        for session in api.users.sessions(identity.sub):
            try:
                api.users.end_session(identity.sub, session["payload"]["uid"])
            except ManagementAPIError as error:
                if error.status != 404:  # It has ended by itself.
                    raise

    _for_each(model_admin, request, users, sign_out)


ACTIONS = (suspend_at_logto, reactivate_at_logto, sign_out_at_logto)


class ManagesAtLogto:
    """For the user admin of a site that keeps its own admin site: put it before `UserAdmin`, and `ACTIONS` among the
    actions."""

    def has_manage_at_logto_permission(self, request: HttpRequest) -> bool:
        """Whether the actions are offered."""
        return may_manage_at_logto(request)


def console_url(identity: LogtoIdentity) -> str:
    """Where the person is in the Logto Console; empty when this site does not know where that is."""
    console = conf.console_url.rstrip("/") or _cloud_console()
    return f"{console}/users/{quote(identity.sub, safe='')}" if console and identity.issuer == conf.issuer else ""


def _cloud_console() -> str:
    host = urlsplit(conf.endpoint).hostname or ""
    return f"{CLOUD_CONSOLE}/{host.removesuffix(CLOUD_DOMAIN)}" if host.endswith(CLOUD_DOMAIN) else ""


def _for_each(model_admin: Any, request: HttpRequest, users: QuerySet[Any], deed: Deed) -> None:
    """Do it to each of the users, and say of each to whom it could not be done why not."""
    try:
        api = management_api()
    except ConfigurationError as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return
    done = 0
    people = list(_people(users))
    for number, (user, identities) in enumerate(people):
        try:
            _check(request.user, user, identities)
            remarks = [deed(api, identity) for identity in identities]
        except _NotPossible as error:
            _warn(model_admin, request, f"{user}: {error}")
        except LogtoError as error:
            model_admin.message_user(request, f"{user}: {error}", messages.ERROR)
            if _is_of_no_use(error):
                _tell_not_tried(model_admin, request, len(people) - number - 1)
                break
        else:
            done += 1
            for remark in filter(None, remarks):
                _warn(model_admin, request, f"{user}: {remark}")
    if done:
        text = gettext("Done at Logto for %(done)d of %(chosen)d.") % {"done": done, "chosen": len(people)}
        model_admin.message_user(request, text, messages.SUCCESS)


class _NotPossible(Exception):
    """It is not done to this person; the text says why."""


def _people(users: QuerySet[Any]) -> Iterator[tuple[Any, list[LogtoIdentity]]]:
    """The users, each with their identities at this Logto."""
    identities = LogtoIdentity.objects.filter(issuer=conf.issuer)
    for user in users.prefetch_related(Prefetch("logto_identities", identities, to_attr="identities_at_logto")):
        yield user, user.identities_at_logto


def _check(staff: Any, user: Any, identities: list[LogtoIdentity]) -> None:
    if not identities:
        raise _NotPossible(gettext("This site does not know who that is at Logto."))
    if getattr(user, "is_superuser", False) and not getattr(staff, "is_superuser", False):
        raise _NotPossible(gettext("Only a superuser can do that to a superuser."))


def _is_of_no_use(error: LogtoError) -> bool:
    """Whether the next person would meet with the same: Logto is out of reach, or does not let this site do it."""
    return not isinstance(error, ManagementAPIError) or error.status in (401, 403) or error.status >= 500


def _tell_not_tried(model_admin: Any, request: HttpRequest, count: int) -> None:
    if count:
        text = gettext("Logto was not asked any further; left as they were: %(count)d.") % {"count": count}
        model_admin.message_user(request, text, messages.ERROR)


def _warn(model_admin: Any, request: HttpRequest, text: str) -> None:
    model_admin.message_user(request, text, messages.WARNING)

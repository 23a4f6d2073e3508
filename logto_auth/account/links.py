"""Links to the pages of Logto's own Account Center, and back: for sites that have no account pages of their own.

Source: Logto 1.42, `packages/account-center`. Of the parameters of a task, Logto requires none.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, QueryDict

from logto_auth.conf import Conf, conf
from logto_auth.exceptions import ConfigurationError, InvalidAccountTask, SignInRequired
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.next_url import is_allowed_next, view_url, with_query
from logto_auth.sign_in.start import absolute_uri, active_languages

from .steps import seal_step

__all__ = [
    "CLAIMS_OF_TASKS",
    "END_OTHER_SESSIONS",
    "PAGES",
    "RETURN",
    "TASKS",
    "account_url",
    "check_task",
    "digest",
    "return_url",
]

# Pages that show everything. They read no parameter, and nothing returns from them.
PAGES = {
    "account": "/account",
    "profile": "/account/profile",
    "security": "/account/security",
    "sessions": "/account/sessions",
}
# Tasks that return to the site when they are done.
TASKS = {
    "email": "/account/email",
    "phone": "/account/phone",
    "username": "/account/username",
    "password": "/account/password",
    "authenticator-app": "/account/authenticator-app",
    "authenticator-app/replace": "/account/authenticator-app/replace",
    "backup-codes/generate": "/account/backup-codes/generate",
    "backup-codes/regenerate": "/account/backup-codes/regenerate",
    "backup-codes/manage": "/account/backup-codes/manage",
    "passkey/add": "/account/passkey/add",
    "passkey/manage": "/account/passkey/manage",
    "social": "/account/social/{connector_id}",
    "social/change": "/account/social/{connector_id}/change",
    "social/remove": "/account/social/{connector_id}/remove",
}
# The claim that a task changes.
CLAIMS_OF_TASKS = {"email": "email", "phone": "phone_number", "username": "username"}
# Not a task of Logto: the return view ends the other sessions, after the user has proved who they are.
END_OTHER_SESSIONS = "end-other-sessions"
# The purpose of the sealed value in the URL of the return view.
RETURN = "return"
# From the rendering of the link to the return. The page may be open for a while before the click.
RETURN_SECONDS = 12 * 3600


def account_url(
    request: HttpRequest,
    task: str,
    *,
    next: str | None = None,
    show_success: bool = False,
    identifier: str = "",
    ui_locales: str = "",
    connector_id: str = "",
) -> str:
    """Return the URL of a page or a task of Logto's Account Center.

    `task` is one of `PAGES` or `TASKS`; the tasks with "social" need the `connector_id`. After a task the browser comes
    back to this site, which refreshes the claims, says what has changed, and goes to `next`, if it is safe; by default
    to `LOGIN_REDIRECT_URL`. Nothing comes back if the user gives up. With `show_success`, Logto first shows a page with
    a button; social tasks always have it. `identifier` pre-fills the new e-mail address, phone number or username.
    `ui_locales` are language tags, by default the active language. A page, other than a task, reads no parameter and
    does not come back.

    Raise InvalidAccountTask for an unknown task, a missing `connector_id`, or a `next` for a page; ConfigurationError
    without `LOGTO_ENDPOINT`; NotDuringImpersonation while staff act as the user.
    """
    path = check_task(task, connector_id=connector_id, next=next)
    # The browser is signed in at Logto as the staff member, whose account the link would lead to.
    session_principal(request).refuse_impersonation()
    if not conf.endpoint:
        raise ConfigurationError(f"{Conf.endpoint.name} must be set. Run `manage.py check` for the details.")
    url = conf.endpoint.rstrip("/") + path
    if task in PAGES:
        return url
    query = QueryDict(mutable=True)
    query["redirect"] = absolute_uri(request, return_url(request, task, next or ""))
    if show_success:
        query["show_success"] = "true"
    if identifier:
        query["identifier"] = identifier
    if locales := ui_locales or active_languages():
        query["ui_locales"] = locales
    return f"{url}?{query.urlencode()}"


def check_task(task: str, *, connector_id: str = "", next: str | None = None) -> str:
    """Return the path of a task or a page at Logto. Raise InvalidAccountTask as `account_url`."""
    path = PAGES.get(task) or TASKS.get(task)
    if path is None:
        known = ", ".join([*PAGES, *TASKS])
        raise InvalidAccountTask(f"The Account Center has no task {task!r:.50}. Expected one of {known}.")
    if ("{connector_id}" in path) != bool(connector_id):
        raise InvalidAccountTask(
            f"The task {task!r} of the Account Center needs the connector_id of the social connector."
            if not connector_id
            else f"The task {task!r} of the Account Center has no connector_id."
        )
    if next and task in PAGES:
        raise InvalidAccountTask(f"The page {task!r} of the Account Center does not come back. Omit next.")
    return path.format(connector_id=quote(connector_id, safe=""))


def return_url(request: HttpRequest, task: str, next_url: str) -> str:
    """Return the path of the return view, or its URL on a host of the site without it.

    Its sealed value names the task, so that no other session and no other site can claim that the task is done. It is
    missing for a user who is not signed in through Logto.
    """
    query: dict[str, str] = {}
    if next_url and is_allowed_next(request, next_url):
        query[REDIRECT_FIELD_NAME] = next_url
    with suppress(SignInRequired):
        claim = CLAIMS_OF_TASKS.get(task)
        data = {"task": task, "before": digest(session_principal(request).claims.get(claim)) if claim else ""}
        query["state"] = seal_step(request, RETURN, data, seconds=RETURN_SECONDS)
    return with_query(view_url("account-return"), query)


def digest(value: Any) -> str:
    """Return a short digest of a claim, which is compared with a later one; "" if the claim is missing or empty.

    It is in an encrypted value, so it need not hide the claim.
    """
    if value in (None, ""):
        return ""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

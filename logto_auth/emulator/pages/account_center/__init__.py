"""The pages of Logto's Account Center, where users manage their accounts.

A site links here with `redirect`. The pages do everything by calls to the Account API, with the access token of the
built-in application `account-center`. So they can do what that API allows, no more and no less.
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.provider import current

from .api import CallRefused
from .factors import AuthenticatorApp, BackupCodes, NewBackupCodes, NewPasskey, Passkeys
from .identifiers import Address, Password, Username
from .social import SUCCESS as SOCIAL_SUCCESS
from .social import Mode, SocialCallback, SocialTask
from .tasks import NOT_ENABLED, Center, SignInNeeded, Task, perform
from .verification import is_verification, show_verification, submit_verification
from .visits import (
    BASE,
    finish_sign_in,
    is_own_form,
    remember_parameters,
    return_to,
    start_sign_in,
    this_visit,
    with_cookie,
)
from .whole_pages import Profile, Security, Sessions, available_pages

blueprint = Blueprint("account_center", __name__, url_prefix=BASE)

_WHOLE_PAGES: tuple[Task, ...] = (Profile(), Security(), Sessions())
_TASKS: tuple[Task, ...] = (
    Username(),
    Address("email"),
    Address("phone"),
    Password(),
    AuthenticatorApp(),
    AuthenticatorApp(replace=True),
    NewBackupCodes(),
    NewBackupCodes(replace=True),
    BackupCodes(),
    NewPasskey(),
    Passkeys(),
)
_SUCCESS_TEXTS = {
    "username/success": "Your username has been changed.",
    "email/success": "Your e-mail address has been changed.",
    "phone/success": "Your phone number has been changed.",
    "password/success": "Your password has been changed.",
    "authenticator-app/success": "The authenticator app has been added.",
    "authenticator-app/replace/success": "The authenticator app has been replaced.",
    "backup-codes/success": "The backup codes have been saved.",
    "passkey/success": "The passkey has been added.",
    SOCIAL_SUCCESS: "Your changes have been saved.",
}


def _open(task: Task, *, is_whole: bool = False) -> Response:
    """Return the page of a task, or what comes before it."""
    provider = current()
    visit = this_visit(provider)
    if request.method == "GET" and not is_whole:
        remember_parameters(provider, visit)
    center = Center(provider, visit)
    try:
        response = _answer(task, center)
    except SignInNeeded:
        response = start_sign_in(provider, visit, _route_of_callback(request.path))
    except CallRefused as refused:
        response = center.problem(refused.answer.refusal.message)
    return with_cookie(response, visit)


def _answer(task: Task, center: Center) -> Response:
    if not center.settings["enabled"]:
        return _nothing_here(center)
    assert center.user  # raises SignInNeeded
    if request.method == "POST" and not is_own_form(center.visit):
        return center.problem("This form is not valid any more. Go back and try again.", status=403)
    permission = task.permission(center)
    if permission != "Edit" and not (permission == "ReadOnly" and task in _WHOLE_PAGES):
        return center.problem(NOT_ENABLED)
    if obstacle := task.obstacle(center):
        return center.problem(obstacle)
    if request.method == "POST" and is_verification():
        return submit_verification(center)
    if not center.record and task.needs_verification(center):
        return show_verification(center)
    return perform(task, center)


def _nothing_here(center: Center) -> Response:
    return center.problem("There is nothing to manage here.", title="Account Center")


def _route_of_callback(path: str) -> str:
    """Return the page to show after a sign-in. The answer of a social provider does not survive it."""
    callback = f"{BASE}/callback/social/"
    return f"{BASE}/social/{path.removeprefix(callback)}" if path.startswith(callback) else path


@blueprint.get("")
@blueprint.get("/")
def show_root() -> Response:
    """Finish a sign-in, or redirect to the first whole page that has something to show."""
    provider = current()
    visit = this_visit(provider)
    center = Center(provider, visit)
    if "code" in request.args or "error" in request.args:
        if not finish_sign_in(visit):
            return with_cookie(center.problem("The sign-in could not be completed."), visit)
        return with_cookie(see_other(visit.taken_route(center.now) or BASE), visit)
    pages = available_pages(center) if center.settings["enabled"] else []
    return with_cookie(see_other(f"{BASE}/{pages[0]}") if pages else _nothing_here(center), visit)


@blueprint.get("/<path:path>")
def show_unknown(path: str) -> Response:
    """Redirect an unknown path to the first page."""
    return see_other(BASE)


def _show_success(path: str) -> Response:
    """Return to the site that waits, or show the page with a button that does."""
    provider = current()
    visit = this_visit(provider)
    center = Center(provider, visit)
    url = visit.current_return_url(center.now)
    shows_page = visit.show_success or path == SOCIAL_SUCCESS
    if url and (request.method == "POST" or not shows_page):
        visit.show_success = False if request.method == "POST" else visit.show_success
        return with_cookie(return_to(visit, url), visit)
    return with_cookie(center.page("success.html", message=_SUCCESS_TEXTS[path], has_url=bool(url)), visit)


@blueprint.route("/social/<connector_id>", methods=["GET", "POST"])
@blueprint.route("/social/<connector_id>/<any(change, remove):mode>", methods=["GET", "POST"])
def open_social(connector_id: str, mode: Mode = "add") -> Response:
    """Add, change or remove the account at a social provider."""
    return _open(SocialTask(connector_id, mode))


@blueprint.route("/callback/social/<connector_id>", methods=["GET", "POST"])
def finish_social(connector_id: str) -> Response:
    """Take the answer of a social provider."""
    return _open(SocialCallback(connector_id), is_whole=True)


def _add_task(task: Task, *, is_whole: bool) -> None:
    def open_task() -> Response:
        return _open(task, is_whole=is_whole)

    blueprint.add_url_rule(f"/{task.path}", f"open {task.path}", open_task, methods=["GET", "POST"])


def _add_success(path: str) -> None:
    def show_success() -> Response:
        return _show_success(path)

    blueprint.add_url_rule(f"/{path}", path, show_success, methods=["GET", "POST"])


for _task in _WHOLE_PAGES:
    _add_task(_task, is_whole=True)
for _task in _TASKS:
    _add_task(_task, is_whole=False)
for _path in _SUCCESS_TEXTS:
    _add_success(_path)

"""The tasks for social accounts: adding, changing and removing one.

As in Logto, these pages have no form: opening one starts the task, once the identity is verified.
"""

from __future__ import annotations

import hmac
from typing import Any, Literal
from urllib.parse import quote

from flask import Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.state import ids
from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .api import PERMISSION_DENIED, CallRefused
from .tasks import Center, Task
from .visits import BASE, return_to

SUCCESS = "social/success"

Mode = Literal["add", "change", "remove"]


class SocialTask(Task):
    """A task for the connector with this id."""

    field = "social"
    success = SUCCESS

    def __init__(self, connector_id: str, mode: Mode) -> None:
        self.connector_id = connector_id
        self.mode = mode

    def obstacle(self, center: Center) -> str:
        connector = center.connector(self.connector_id)
        if connector is None:
            return "This social account is not enabled."
        if self.mode == "add" and connector["target"] in (center.user.get("identities") or {}):
            return "You have already associated this social account."
        return ""

    def needs_verification(self, center: Center) -> bool:
        return center.user.get("hasSecurityVerificationMethod") is not False

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        """Remove the account, or go to the social provider."""
        try:
            return self._remove(center) if self.mode == "remove" else self._leave(center)
        except CallRefused as refused:
            return leave_with(center, refused)

    def submit(self, center: Center) -> Response:
        return center.again()

    def _remove(self, center: Center) -> Response:
        connector = center.connector(self.connector_id)
        assert connector is not None  # `obstacle` looked it up
        center.call("DELETE", f"/my-account/identities/{quote(connector['target'], safe='')}")
        return center.success(SUCCESS)

    def _leave(self, center: Center) -> Response:
        state = ids.opaque_token()
        body = {"connectorId": self.connector_id, "state": state, "redirectUri": _callback_url(self.connector_id)}
        made = center.call("POST", "/verifications/social", body)
        center.visit.steps[_step(self.connector_id)] = {
            "record": made["verificationRecordId"],
            "state": state,
            "mode": self.mode,
        }
        return see_other(made["authorizationUri"])


class SocialCallback(Task):
    """The page to which the social provider redirects."""

    field = "social"

    def __init__(self, connector_id: str) -> None:
        self.connector_id = connector_id

    def obstacle(self, center: Center) -> str:
        return "" if center.connector(self.connector_id) else "This social account is not enabled."

    def needs_verification(self, center: Center) -> bool:
        # Without a record, the Account API refuses the account, and the user verifies the identity again.
        return False

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        """Check the answer of the provider and link the account."""
        started: dict[str, Any] | None = center.visit.steps.pop(_step(self.connector_id), None)
        if started is None:
            return _leave_with_text(center, "The session is not valid. Start again.")
        if not hmac.compare_digest(started["state"].encode(), request.args.get("state", "").encode()):
            return _leave_with_text(center, "This browser did not request the answer of the provider.")
        data = {**request.args.to_dict(), "redirectUri": _callback_url(self.connector_id)}
        try:
            body = {"verificationRecordId": started["record"], "connectorData": data}
            center.call("POST", "/verifications/social/verify", body)
            method = "PUT" if started["mode"] == "change" else "POST"
            center.call(method, "/my-account/identities", {"newIdentifierVerificationRecordId": started["record"]})
        except CallRefused as refused:
            if refused.answer.code == PERMISSION_DENIED:
                center.visit.forget_record()
                suffix = "/change" if started["mode"] == "change" else ""
                return see_other(f"{BASE}/social/{self.connector_id}{suffix}")
            return leave_with(center, refused)
        return center.success(SUCCESS)

    def submit(self, center: Center) -> Response:
        return center.again()


def leave_with(center: Center, refused: CallRefused) -> Response:
    """Go to the site that waits, or to the security page, with the error as a notice.

    Raise CallRefused if the verification record is missing: the user verifies the identity again.
    """
    if refused.answer.code == PERMISSION_DENIED:
        raise refused
    return _leave_with_text(center, refused.answer.refusal.message)


def _leave_with_text(center: Center, message: str) -> Response:
    center.visit.notice = message
    if url := center.visit.current_return_url(center.now):
        return return_to(center.visit, url)
    return see_other(f"{BASE}/security")


def _step(connector_id: str) -> str:
    return f"social {connector_id}"


def _callback_url(connector_id: str) -> str:
    return f"{request.host_url.rstrip('/')}{BASE}/callback/social/{connector_id}"

"""What all pages of the Account Center share: who is there, what is enabled, and the way through a task.

A task needs a sign-in, a field that users may edit, and a verification record, in this order. It then changes the user
by a call to the Account API and ends at its success page.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.pages.interactions import page
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.account_visits import AccountVisit
from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .api import PERMISSION_DENIED, CallRefused, call
from .visits import BASE

NOT_ENABLED = "This feature is not enabled."
_VERIFY_AGAIN = "Verification required. Please verify your identity again."


class SignInNeeded(Exception):
    """The browser has no access token, or one that has ended."""


@dataclass
class Center:
    """The Account Center as this browser sees it. Raise SignInNeeded when it is used without a valid access token."""

    provider: Provider
    visit: AccountVisit

    @property
    def now(self) -> float:
        return self.provider.clock.precise()

    @property
    def record(self) -> str:
        """The id of the verification record, or ""."""
        return self.visit.current_record(self.now)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The public settings of the Account Center."""
        return dict(call(self.visit, "GET", "/api/.well-known/account-center"))

    @cached_property
    def experience(self) -> dict[str, Any]:
        """The public sign-in experience."""
        return dict(call(self.visit, "GET", "/api/.well-known/sign-in-exp"))

    @cached_property
    def user(self) -> dict[str, Any]:
        """The user, as the Account API shows it. Without an access token there is none."""
        if not self.visit.access_token:
            raise SignInNeeded
        return dict(self.call("GET", "/my-account"))

    @property
    def fields(self) -> dict[str, str]:
        """The permissions of the fields."""
        return dict(self.settings.get("fields") or {})

    @property
    def passkey_permission(self) -> str | None:
        """The permission of passkeys: that of factors, unless they have one of their own."""
        return self.fields.get("passkey", self.fields.get("mfa"))

    @property
    def factor_types(self) -> list[str]:
        """The factors that the tenant enables."""
        return list(self.experience.get("mfa", {}).get("factors") or [])

    @property
    def takes_passkeys(self) -> bool:
        passkey_sign_in = self.experience.get("passkeySignIn") or {}
        return "WebAuthn" in self.factor_types or bool(passkey_sign_in.get("enabled"))

    @property
    def verification_methods(self) -> dict[str, str]:
        """The ways to verify the identity: "password", "email" and "phone", with the address for a code."""
        found = {"password": ""} if self.user.get("hasPassword") else {}
        addresses = {"email": self.user.get("primaryEmail"), "phone": self.user.get("primaryPhone")}
        return found | {kind: str(address) for kind, address in addresses.items() if address}

    @property
    def listed_connectors(self) -> list[dict[str, Any]]:
        """The social connectors for browsers, one for each provider."""
        found: dict[str, dict[str, Any]] = {}
        for connector in self.experience.get("socialConnectors") or []:
            is_better = connector["platform"] == "Web" or connector["target"] not in found
            if connector["platform"] != "Native" and is_better:
                found[connector["target"]] = connector
        return list(found.values())

    def connector(self, connector_id: str) -> dict[str, Any] | None:
        """Return the enabled social connector with this id, or None."""
        connectors: list[dict[str, Any]] = self.experience.get("socialConnectors") or []
        return next((each for each in connectors if each["id"] == connector_id), None)

    def factors(self) -> list[dict[str, Any]]:
        """Return the user's factors."""
        return list(self.call("GET", "/my-account/mfa-verifications"))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the Account API or the Verification API with the verification record.

        Raise CallRefused, and SignInNeeded if the access token has ended.
        """
        try:
            return call(self.visit, method, f"/api{path}", body, record=self.record)
        except CallRefused as refused:
            if refused.answer.status == 401 and refused.answer.code == "auth.unauthorized":
                raise SignInNeeded from refused
            raise

    # Pages

    def page(self, template: str, *, refusal: SignInRefused | None = None, **context: Any) -> Response:
        """Return a page of the Account Center, with the notice that waits for it."""
        notice = self.visit.taken_notice()
        return page(f"account/{template}", refusal=refusal, center=self, visit=self.visit, notice=notice, **context)

    def problem(self, message: str, *, title: str = "Something went wrong", status: int = 200) -> Response:
        """Return a page that says why there is nothing to do. Like all pages of Logto, it has the status 200."""
        response = self.page("problem.html", title=title, message=message)
        response.status_code = status
        return response

    def success(self, path: str) -> Response:
        """Redirect to a success page."""
        return see_other(f"{BASE}/{path}")

    def again(self, notice: str = "") -> Response:
        """Redirect to the page that was submitted, with a notice."""
        self.visit.notice = notice
        return see_other(request.path)

    def steps(self) -> dict[str, Any]:
        """Return what this task knows from its pages before."""
        return self.visit.steps.setdefault(request.path, {})

    def forget_steps(self) -> None:
        self.visit.steps.pop(request.path, None)


class Task:
    """One task. `field` is the field of the Account Center that it changes; `success` is the path of its last page."""

    path = ""
    field = ""
    success = ""

    def permission(self, center: Center) -> str | None:
        return center.fields.get(self.field)

    def obstacle(self, center: Center) -> str:
        """Return why the task is not possible, or "". It is asked before the verification."""
        return ""

    def needs_verification(self, center: Center) -> bool:
        """Return whether the user has to verify the identity first."""
        return True

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        """Return the page of the task."""
        raise NotImplementedError

    def submit(self, center: Center) -> Response:
        """Do what the form says. Raise CallRefused, and the page shows the error."""
        raise NotImplementedError


def perform(task: Task, center: Center) -> Response:
    """Show or submit a task whose obstacles are gone."""
    try:
        return task.submit(center) if request.method == "POST" else task.show(center)
    except CallRefused as refused:
        if refused.answer.code == PERMISSION_DENIED and task.needs_verification(center):
            center.visit.forget_record()
            center.forget_steps()
            return center.again(_VERIFY_AGAIN)
        if request.method == "POST":
            return task.show(center, refused.answer.refusal)
        return center.problem(refused.answer.refusal.message)

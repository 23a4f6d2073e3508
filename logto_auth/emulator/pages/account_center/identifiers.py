"""The tasks for username, e-mail, phone and password."""

from __future__ import annotations

from typing import Literal

from flask import Response, request

from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .api import CallRefused
from .tasks import Center, Task


class Username(Task):
    """Set or change the username."""

    path = "username"
    field = "username"
    success = "username/success"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        given = request.form.get("username") or center.visit.taken_identifier() or center.user.get("username") or ""
        return center.page("username.html", refusal=refusal, value=given)

    def submit(self, center: Center) -> Response:
        center.call("PATCH", "/my-account", {"username": request.form.get("username", "").strip()})
        return center.success(self.success)


class Address(Task):
    """Set or change the e-mail address or the phone number: send a code to the new one, then check the code."""

    def __init__(self, kind: Literal["email", "phone"]) -> None:
        self.kind = kind
        self.path = self.field = kind
        self.success = f"{kind}/success"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        new = center.steps().get("new")
        if new is not None and request.method == "POST":
            return center.page("address_code.html", refusal=refusal, kind=self.kind, value=new["value"])
        center.steps().pop("new", None)
        given = request.form.get("value") or center.visit.taken_identifier()
        return center.page("address.html", refusal=refusal, kind=self.kind, value=given)

    def submit(self, center: Center) -> Response:
        if request.form.get("step") == "code":
            return self._check_code(center)
        center.steps().pop("new", None)
        value = request.form.get("value", "").strip()
        identifier = {"type": self.kind, "value": value}
        made = center.call("POST", "/verifications/verification-code", {"identifier": identifier})
        center.steps()["new"] = {"value": value, "record": made["verificationRecordId"]}
        return self.show(center)

    def _check_code(self, center: Center) -> Response:
        new = center.steps().get("new")
        if new is None:
            return self.show(center)
        identifier = {"type": self.kind, "value": new["value"]}
        body = {"identifier": identifier, "verificationId": new["record"], "code": request.form.get("code", "")}
        try:
            center.call("POST", "/verifications/verification-code/verify", body)
        except CallRefused as refused:
            if refused.answer.code == "verification_record.not_found":
                center.steps().pop("new")
            raise
        body = {self.kind: new["value"], "newIdentifierVerificationRecordId": new["record"]}
        center.call("POST", f"/my-account/primary-{self.kind}", body)
        center.forget_steps()
        return center.success(self.success)


class Password(Task):
    """Set or change the password. A user without any verification method may set the first one without it."""

    path = "password"
    field = "password"
    success = "password/success"

    def needs_verification(self, center: Center) -> bool:
        is_first = center.user.get("hasPassword") is False and not center.verification_methods
        sees_addresses = {center.fields.get(name) for name in ("email", "phone")} <= {"ReadOnly", "Edit"}
        return not (is_first and sees_addresses)

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        return center.page("password.html", refusal=refusal)

    def submit(self, center: Center) -> Response:
        password = request.form.get("password", "")
        if password != request.form.get("confirm_password"):
            return self.show(center, SignInRefused("passwords_do_not_match", "The passwords do not match."))
        center.call("POST", "/my-account/password", {"password": password})
        return center.success(self.success)

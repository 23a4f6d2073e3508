"""The verification of the identity before a task: the password, or a code to the present address."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from logto_auth.emulator.state.sign_in_rules import SignInRefused

from .api import CallRefused
from .tasks import Center

_STEP = "verification"


def is_verification() -> bool:
    """Return whether the submitted form is one of the verification."""
    return request.form.get("step", "").startswith(_STEP)


def show_verification(center: Center, refusal: SignInRefused | None = None) -> Response:
    """Ask for the password or a code, whatever the user has."""
    if not center.verification_methods:
        return center.problem(
            "You have no password, e-mail address or phone number to verify your identity with.",
            title="No verification method",
        )
    return center.page("verification.html", refusal=refusal, sent=center.steps().get("own_code"))


def submit_verification(center: Center) -> Response:
    """Check the password, send a code, or check a code. Then show the task."""
    step = _STEPS.get(request.form["step"])
    try:
        return step(center) if step else show_verification(center)
    except CallRefused as refused:
        return show_verification(center, refused.answer.refusal)


def _check_password(center: Center) -> Response:
    made = center.call("POST", "/verifications/password", {"password": request.form.get("password", "")})
    return _verified(center, made["verificationRecordId"], made["expiresAt"])


def _send_code(center: Center) -> Response:
    kind = request.form.get("kind", "")
    address = center.verification_methods.get(kind)
    if not address:
        return show_verification(center)
    identifier = {"type": kind, "value": address}
    made = center.call("POST", "/verifications/verification-code", {"identifier": identifier})
    center.steps()["own_code"] = {
        "identifier": identifier,
        "record": made["verificationRecordId"],
        "expires_at": made["expiresAt"],
    }
    return show_verification(center)


def _check_code(center: Center) -> Response:
    sent = center.steps().get("own_code")
    if sent is None:
        return show_verification(center)
    body = {"identifier": sent["identifier"], "verificationId": sent["record"], "code": request.form.get("code", "")}
    made = center.call("POST", "/verifications/verification-code/verify", body)
    return _verified(center, made["verificationRecordId"], sent["expires_at"])


def _verified(center: Center, record_id: str, expires_at: str) -> Response:
    until = datetime.fromisoformat(expires_at.replace("Z", "+00:00")).timestamp()
    center.visit.keep_record(record_id, until)
    center.steps().pop("own_code", None)
    return center.again()


_STEPS = {
    f"{_STEP}-password": _check_password,
    f"{_STEP}-send": _send_code,
    f"{_STEP}-code": _check_code,
}

"""The tasks for the authenticator app, backup codes and passkeys."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Response, request

from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.pages.passkey_answers import passkey_answer, rp_id
from logto_auth.emulator.state.sign_in_rules import SignInRefused
from logto_auth.emulator.state.totp import totp_uri

from .tasks import Center, Task
from .visits import BASE


class _FactorTask(Task):
    """A task for one type of factor, which the tenant has to enable."""

    field = "mfa"
    factor = ""
    not_enabled = ""

    def obstacle(self, center: Center) -> str:
        return "" if self.factor in center.factor_types else self.not_enabled

    def bound(self, center: Center) -> dict[str, Any] | None:
        """Return the user's factor of this type, or None. Used-up backup codes do not count."""
        mine = [each for each in center.factors() if each["type"] == self.factor]
        return next((each for each in mine if each.get("remainCodes") != 0), None)


class AuthenticatorApp(_FactorTask):
    """Add an authenticator app, or replace it."""

    factor = "Totp"
    not_enabled = "Authenticator apps are not enabled."

    def __init__(self, *, replace: bool = False) -> None:
        self.replace = replace
        self.path = "authenticator-app/replace" if replace else "authenticator-app"
        self.success = f"{self.path}/success"

    def obstacle(self, center: Center) -> str:
        if not self.replace and self.bound(center):
            return super().obstacle(center) or "You have added an authenticator app already."
        return super().obstacle(center)

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        """Show a new secret. After a wrong code, show the same one again."""
        steps = center.steps()
        if "secret" not in steps or request.method == "GET":
            steps["secret"] = center.call("POST", "/my-account/mfa-verifications/totp-secret/generate")["secret"]
        names = (center.user.get(name) for name in ("username", "primaryEmail", "primaryPhone"))
        uri = totp_uri(steps["secret"], service=rp_id(), account=next(filter(None, names), "User"))
        return center.page("authenticator_app.html", refusal=refusal, secret=steps["secret"], uri=uri, task=self)

    def submit(self, center: Center) -> Response:
        if "secret" not in center.steps():
            return center.again()
        body = {"secret": center.steps()["secret"], "code": request.form.get("code", "").strip()}
        if not body["code"]:
            return self.show(center, SignInRefused("session.mfa.invalid_totp_code", "Enter the code.", status=400))
        if self.replace:
            center.call("PUT", "/my-account/mfa-verifications/totp", body)
        else:
            center.call("POST", "/my-account/mfa-verifications", {"type": self.factor, **body})
        center.forget_steps()
        return center.success(self.success)


class NewBackupCodes(_FactorTask):
    """Add backup codes, or replace them."""

    factor = "BackupCode"
    not_enabled = "Backup codes are not enabled."
    success = "backup-codes/success"

    def __init__(self, *, replace: bool = False) -> None:
        self.replace = replace
        self.path = f"backup-codes/{'regenerate' if replace else 'generate'}"

    def obstacle(self, center: Center) -> str:
        if found := super().obstacle(center):
            return found
        if all(each["type"] == self.factor for each in center.factors()):
            return "Backup codes need another factor first."
        return ""

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        if not self.replace and self.bound(center):
            return see_other(f"{BASE}/{BackupCodes.path}")
        steps = center.steps()
        if "codes" not in steps or request.method == "GET":
            steps["codes"] = center.call("POST", "/my-account/mfa-verifications/backup-codes/generate")["codes"]
        return center.page("new_backup_codes.html", refusal=refusal, codes=steps["codes"], task=self)

    def submit(self, center: Center) -> Response:
        if "codes" not in center.steps():
            return center.again()
        before = self.bound(center)
        if self.replace and before:
            center.call("DELETE", f"/my-account/mfa-verifications/{before['id']}")
        body = {"type": self.factor, "codes": center.steps()["codes"]}
        center.call("POST", "/my-account/mfa-verifications", body)
        center.forget_steps()
        return center.success(self.success)


class BackupCodes(_FactorTask):
    """Show the backup codes. There is nothing to change, and so no success page."""

    path = "backup-codes/manage"
    factor = "BackupCode"
    not_enabled = NewBackupCodes.not_enabled

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        codes = center.call("GET", "/my-account/mfa-verifications/backup-codes")["codes"]
        return center.page("backup_codes.html", refusal=refusal, codes=codes)

    def submit(self, center: Center) -> Response:
        return center.again()


class _PasskeyTask(_FactorTask):
    factor = "WebAuthn"
    not_enabled = "Passkeys are not enabled."

    def permission(self, center: Center) -> str | None:
        return center.passkey_permission

    def obstacle(self, center: Center) -> str:
        return "" if center.takes_passkeys else self.not_enabled


class NewPasskey(_PasskeyTask):
    """Add a passkey, by the script of the page."""

    path = "passkey/add"
    success = "passkey/success"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        made = center.call("POST", "/verifications/web-authn/registration")
        center.steps()["record"] = made["verificationRecordId"]
        return center.page("new_passkey.html", refusal=refusal, options=made["registrationOptions"])

    def submit(self, center: Center) -> Response:
        record = center.steps().get("record")
        credential = passkey_answer()
        if record is None or not credential:
            refusal = SignInRefused("session.mfa.webauthn_verification_failed", "No passkey was created.", status=400)
            return self.show(center, refusal)
        payload = {**credential, "type": self.factor}
        body = {"verificationRecordId": record, "payload": payload}
        center.call("POST", "/verifications/web-authn/registration/verify", body)
        name = request.form.get("name", "").strip()
        body = {"type": self.factor, "newIdentifierVerificationRecordId": record, **({"name": name} if name else {})}
        center.call("POST", "/my-account/mfa-verifications", body)
        center.forget_steps()
        return center.success(self.success)


class Passkeys(_PasskeyTask):
    """List the passkeys, rename and remove them. The page stays, so that there is no success page."""

    path = "passkey/manage"

    def show(self, center: Center, refusal: SignInRefused | None = None) -> Response:
        passkeys = [each for each in center.factors() if each["type"] == self.factor]
        return center.page("passkeys.html", refusal=refusal, passkeys=passkeys)

    def submit(self, center: Center) -> Response:
        path = f"/my-account/mfa-verifications/{quote(request.form.get('id', ''), safe='')}"
        if request.form.get("step") == "remove":
            center.call("DELETE", path)
            return center.again("Passkey removed.")
        if name := request.form.get("name", "").strip():
            center.call("PATCH", f"{path}/name", {"name": name})
            return center.again("Passkey renamed.")
        return center.again()

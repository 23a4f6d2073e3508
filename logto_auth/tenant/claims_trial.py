"""Try a script for custom claims in Logto, without storing it: does it return the claim, and what else does it return?

Logto runs the script with made-up sign-ins. If the tenant has sample data for its script, the made-up sign-ins have it
too, so that a script that needs other data finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.authentication_methods import CLAIM, methods_in
from logto_auth.oidc.errors import single_line

if TYPE_CHECKING:
    from logto_auth.management_api.types import JwtCustomizer, JwtCustomizerTest

__all__ = ["ACCESS_TOKEN", "BACKUP_CODE", "SIGN_INS", "ScriptFailed", "SignIn", "Trial"]

ACCESS_TOKEN: Final = "access-token"  # noqa: S105 - the kind of token, in Logto's paths
# The error of a script that fails, or that denies access.
SCRIPT_ERROR = "jwt_customizer.general"
USER = "logtoauth001"
OTHER_USER = "logtoauth002"
BACKUP_CODE: Final = "madeup0code"
# What a script may expect of every user and application.
USER_SAMPLE: Mapping[str, Any] = {
    "username": "made_up",
    "primaryEmail": "made-up@example.com",
    "primaryPhone": None,
    "name": "Made Up",
    "avatar": None,
    "customData": {},
    "identities": {},
    "profile": {},
    "isSuspended": False,
    "hasPassword": True,
    "ssoIdentities": [],
    "roles": [],
    "organizations": [],
    "organizationRoles": [],
}
APPLICATION_SAMPLE: Mapping[str, Any] = {
    "name": "Made up",
    "description": None,
    "type": "Traditional",
    "customData": {},
    "isThirdParty": False,
}
PASSWORD: Mapping[str, Any] = {
    "id": "password",
    "type": "Password",
    "identifier": {"type": "username", "value": "made_up"},
    "verified": True,
}
TOTP: Mapping[str, Any] = {"id": "totp", "type": "Totp", "userId": USER, "verified": True}
CODE: Mapping[str, Any] = {"id": "code", "type": "BackupCode", "userId": USER, "code": BACKUP_CODE}
NEW_PASSKEY: Mapping[str, Any] = {
    "id": "passkey",
    "type": "WebAuthn",
    "userId": USER,
    "verified": True,
    "registrationRpId": "example.com",
}


class ScriptFailed(Exception):
    """Logto could not run the script to its end, or the script denied access. The text is a sentence without a dot."""


@dataclass(frozen=True)
class SignIn:
    """A made-up sign-in, and the claim that a script has to return for it. None: no claim."""

    name: str
    records: Sequence[Mapping[str, Any]]
    factors: Sequence[str]
    """The factors that the user has."""
    expected: tuple[str, ...] | None
    user: str = USER
    """The user who signed in. The token is for `USER`."""


SIGN_INS = (
    SignIn(
        "a sign-in with password, authenticator app and backup code",
        (PASSWORD, TOTP, CODE),
        ("Totp", "BackupCode"),
        ("BackupCode", "Password", "Totp"),
    ),
    SignIn("a factor that was never added to the user", (PASSWORD, TOTP), (), ("Password",)),
    SignIn("a passkey that is new in this sign-in", (PASSWORD, NEW_PASSKEY), ("WebAuthn",), ("Password",)),
    SignIn("the sign-in of another user", (PASSWORD, TOTP), ("Totp",), None, user=OTHER_USER),
    SignIn("no sign-in, as after a sign-out", (), ("Totp",), None, user=""),
)


@dataclass(frozen=True)
class Trial:
    """Trials in one tenant. `stored` is the script that it has, None if it has none."""

    api: ManagementAPI
    stored: JwtCustomizer | None
    application_id: str
    api_resource: str
    _answers: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict, repr=False)

    def errors(self, script: str) -> Iterator[str]:
        """Yield a sentence for each made-up sign-in for which `script` does not return the right claim.

        Raise ManagementAPIError.
        """
        errors = {sign_in.name: self._error(script, sign_in) for sign_in in SIGN_INS}
        if len(set(errors.values())) == 1:
            errors = {"every made-up sign-in": next(iter(errors.values()))}
        yield from (f"For {name}, {error}." for name, error in errors.items() if error)

    def lost_claims(self, before: str, after: str) -> list[str]:
        """Return the names of other claims that `before` returns and `after` does not, or with another value.

        A claim that `before` itself returns with another value each time is compared by its name. Raise ScriptFailed,
        ManagementAPIError.
        """
        lost: set[str] = set()
        for sign_in in SIGN_INS:
            try:
                old = _others(self.claims(before, sign_in))
            except ScriptFailed:
                continue  # there is nothing to lose
            new = _others(self.claims(after, sign_in))
            different = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
            if different:
                again = _others(self._run(before, sign_in))
                different -= {name for name in old.keys() & new.keys() if again.get(name) != old[name]}
            lost |= different
        return sorted(lost)

    def claims(self, script: str, sign_in: SignIn) -> dict[str, Any]:
        """Return the claims that `script` returns for a made-up sign-in. Raise ScriptFailed, ManagementAPIError."""
        key = script, sign_in.name
        if key not in self._answers:
            self._answers[key] = self._run(script, sign_in)
        return self._answers[key]

    def _error(self, script: str, sign_in: SignIn) -> str:
        """Return what is wrong with the claim for a made-up sign-in, or an empty text."""
        try:
            claims = self.claims(script, sign_in)
        except ScriptFailed as error:
            return str(error)
        found = methods_in(claims)
        if found == sign_in.expected and (found is not None or CLAIM not in claims):
            return ""
        came = _described(found, is_there=CLAIM in claims)
        return f"the script returned {came}, expected {_described(sign_in.expected)}"

    def _run(self, script: str, sign_in: SignIn) -> dict[str, Any]:
        try:
            return self.api.jwt_customizers.test(self._payload(script, sign_in))
        except ManagementAPIError as error:
            if error.code != SCRIPT_ERROR:
                raise
            raise ScriptFailed(self._reason(error)) from error

    def _payload(self, script: str, sign_in: SignIn) -> JwtCustomizerTest:
        stored: JwtCustomizer = self.stored or {"script": ""}
        sample = stored.get("contextSample", {})
        token = {
            "kind": "AccessToken",
            "jti": "made-up",
            "gty": "authorization_code",
            "grantId": "made-up",
            "scope": "",
            **stored.get("tokenSample", {}),
            "accountId": USER,
            "clientId": self.application_id,
            "aud": self.api_resource,
        }
        context = {
            **{name: value for name, value in sample.items() if name not in ("interaction", "grant")},
            "user": {
                **USER_SAMPLE,
                **sample.get("user", {}),
                "id": USER,
                "mfaVerificationFactors": list(sign_in.factors),
            },
            "application": {
                **APPLICATION_SAMPLE,
                **sample.get("application", {}),
                "id": self.application_id,
            },
        }
        if sign_in.user:
            context["interaction"] = {
                "interactionEvent": "SignIn",
                "userId": sign_in.user,
                "verificationRecords": [dict(record) for record in sign_in.records],
            }
        payload: JwtCustomizerTest = {
            "tokenType": ACCESS_TOKEN,
            "script": script,
            "token": token,
            "context": context,
        }
        if self._variables:
            payload["environmentVariables"] = self._variables
        return payload

    @property
    def _variables(self) -> dict[str, str]:
        return self.stored.get("environmentVariables", {}) if self.stored else {}

    def _reason(self, error: ManagementAPIError) -> str:
        data = error.data if isinstance(error.data, dict) else {}
        text = str(data.get("message") or "")
        # The script has secrets in its environment variables, and may have one in its error.
        for value in self._variables.values():
            text = text.replace(value, "***") if value else text
        text = single_line(text, 200)
        what = "the script denied access" if error.status == 403 else "the script failed"
        return f"{what}: {text}" if text else what


def _others(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name != CLAIM}


def _described(methods: Sequence[str] | None, *, is_there: bool = False) -> str:
    if methods is not None:
        return f"{CLAIM} with {', '.join(methods) or 'no method'}"
    return f"{CLAIM} with something else than names" if is_there else f"no {CLAIM}"

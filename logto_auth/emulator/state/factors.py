"""The second factors of users: authenticator app, backup codes and passkeys. Names are Logto's.

The functions change a user and apply Logto's rules about factors. Those about tokens, scopes and permissions are with
the routes. Source of the rules: recorded from Logto 1.42.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from . import ids
from .refusals import Refused, record_not_found
from .totp import STEP_SECONDS, accepts_totp_code, totp_code, totp_secret_is_well_formed, totp_step

FactorType = Literal["Totp", "WebAuthn", "BackupCode"]

_BACKUP_CODES = 10
_BACKUP_CODE = re.compile(r"[0-9a-f]{10}", re.IGNORECASE)


@dataclass
class BackupCode:
    """One backup code. `used_at` is ISO text."""

    code: str = field(repr=False)
    used_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, **({"usedAt": self.used_at} if self.used_at else {})}


@dataclass(kw_only=True)
class Totp:
    """An authenticator app. `created_at` is ISO text, and `last_used_step` the time step of the last code."""

    type: ClassVar[FactorType] = "Totp"
    id: str = field(default_factory=ids.standard_id)
    created_at: str
    secret: str = field(repr=False)
    last_used_step: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what the user sees. The secret is not shown again."""
        return {"id": self.id, "createdAt": self.created_at, "type": self.type}


@dataclass(kw_only=True)
class BackupCodes:
    """A set of backup codes. `created_at` is ISO text."""

    type: ClassVar[FactorType] = "BackupCode"
    id: str = field(default_factory=ids.standard_id)
    created_at: str
    codes: list[BackupCode] = field(repr=False)

    @property
    def remaining(self) -> int:
        """The number of unused codes."""
        return sum(not each.used_at for each in self.codes)

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "createdAt": self.created_at, "type": self.type, "remainCodes": self.remaining}


@dataclass(kw_only=True)
class Passkey:
    """A passkey. `agent` is the User-Agent of the browser that registered it. The key and the id are Base64url."""

    type: ClassVar[FactorType] = "WebAuthn"
    id: str = field(default_factory=ids.standard_id)
    created_at: str = ""
    rp_id: str
    credential_id: str
    public_key: str
    counter: int
    agent: str = ""
    transports: Sequence[str] = ()
    name: str | None = None
    last_used_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "createdAt": self.created_at,
            **({"lastUsedAt": self.last_used_at} if self.last_used_at else {}),
            "type": self.type,
            "agent": self.agent,
            **({} if self.name is None else {"name": self.name}),
        }


Factor = Totp | BackupCodes | Passkey


def new_backup_codes() -> list[str]:
    """Return ten new codes of ten hexadecimal digits. They are not bound yet."""
    return [secrets.token_hex(5) for _ in range(_BACKUP_CODES)]


def find_totp(factors: Sequence[Factor]) -> Totp | None:
    """Return the authenticator app, or None. A user has at most one."""
    return next((each for each in factors if isinstance(each, Totp)), None)


def find_backup_codes(factors: Sequence[Factor]) -> BackupCodes | None:
    """Return the first set of backup codes, used up or not, or None."""
    return next((each for each in factors if isinstance(each, BackupCodes)), None)


def passkeys_of(factors: Sequence[Factor]) -> list[Passkey]:
    return [each for each in factors if isinstance(each, Passkey)]


def with_totp(
    factors: Sequence[Factor], secret: str, code: str | None, *, at: float, created_at: str, replace: bool = False
) -> list[Factor]:
    """Return the factors with an authenticator app. Raise Refused.

    Without a code, or with an empty one, Logto binds it unproved; a replacement requires the code. `at` is in seconds.
    """
    before = find_totp(factors)
    if before is not None and not replace:
        raise Refused("user.totp_already_in_use", 422)
    if not totp_secret_is_well_formed(secret):
        raise Refused("user.totp_secret_invalid")
    if (code or replace) and not accepts_totp_code(secret, code or "", at):
        raise Refused("session.mfa.invalid_totp_code")
    totp = Totp(secret=secret, created_at=created_at)
    if before is None:
        return [*factors, totp]
    return [totp if each is before else each for each in factors]


def with_backup_codes(factors: Sequence[Factor], codes: Sequence[str], *, created_at: str) -> list[Factor]:
    """Return the factors with backup codes. Raise Refused.

    A used-up set stays beside the new one, as in Logto.
    """
    if any(isinstance(each, BackupCodes) and each.remaining for each in factors):
        raise Refused("user.backup_code_already_in_use", 422)
    if all(isinstance(each, BackupCodes) for each in factors):
        raise Refused("session.mfa.backup_code_can_not_be_alone", 422)
    if len(codes) != _BACKUP_CODES or not all(_BACKUP_CODE.fullmatch(each) for each in codes):
        raise Refused("user.wrong_backup_code_format", 422)
    return [*factors, BackupCodes(created_at=created_at, codes=[BackupCode(each) for each in codes])]


def find_factor(factors: Sequence[Factor], factor_id: str) -> Factor:
    """Return the factor with this id. Raise Refused."""
    found = next((each for each in factors if each.id == factor_id), None)
    if found is None:
        raise record_not_found()
    return found


def use_totp_code(factors: Sequence[Factor], code: str, *, at: float) -> bool:
    """Mark the time step of a code as used and return True, or return False for a wrong code and for an older step.

    `at` is in seconds.
    """
    totp = find_totp(factors)
    step = totp_step(totp.secret, code, at) if totp else None
    if totp is None or step is None or (totp.last_used_step is not None and step <= totp.last_used_step):
        return False
    totp.last_used_step = step
    return True


def unused_totp_code(totp: Totp, at: float) -> str:
    """Return a code that Logto accepts now, or "" while all of them are used. `at` is in seconds."""
    now = int(at) // STEP_SECONDS
    step = max(now, now if totp.last_used_step is None else totp.last_used_step + 1)
    return totp_code(totp.secret, step * STEP_SECONDS) if step <= now + 1 else ""


def use_backup_code(factors: Sequence[Factor], code: str, *, used_at: str) -> bool:
    """Mark a backup code as used and return True, or return False if there is no such unused code.

    Only the first set counts, as in Logto: codes that were added after it was used up do not sign in.
    """
    found = find_backup_codes(factors)
    for backup_code in found.codes if found else ():
        if backup_code.code == code and backup_code.used_at is None:
            backup_code.used_at = used_at
            return True
    return False

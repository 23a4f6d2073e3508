"""Verification records: what a user proved at the Verification API, for ten minutes.

Source: recorded from Logto 1.42. `expires_at` is in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids
from .factors import Passkey

RECORD_TTL = 600

AddressKind = Literal["email", "phone"]
# The types of the messages with codes: for the present address of a user, for a new one, and for second factors.
OWN_ADDRESS, NEW_ADDRESS, BIND_MFA = "UserPermissionValidation", "BindNewIdentifier", "BindMfa"
MFA_VERIFICATION = "MfaVerification"


@dataclass(kw_only=True)
class VerificationRecord:
    """A record. `account_id` is None for a record about something new, which Logto binds to no user."""

    account_id: str | None
    expires_at: int
    is_verified: bool = False
    id: str = field(default_factory=ids.standard_id)

    @property
    def proves_identity(self) -> bool:
        """Whether the record permits its user to change what needs verification."""
        return False


@dataclass(kw_only=True)
class PasswordRecord(VerificationRecord):
    """The user knows the password."""

    @property
    def proves_identity(self) -> bool:
        return self.is_verified


@dataclass(kw_only=True)
class CodeRecord(VerificationRecord):
    """The user received the code that was sent to an address. `template` is the type of the message."""

    kind: AddressKind
    address: str
    template: str
    code: str = field(repr=False)
    sent_at: float
    tries: int = 0

    @property
    def proves_identity(self) -> bool:
        return self.is_verified and self.template == OWN_ADDRESS


@dataclass(kw_only=True)
class SocialRecord(VerificationRecord):
    """The user has an account at a social provider. `user_info` is that account, once it is verified."""

    connector_id: str
    target: str
    user_info: dict[str, Any] | None = None


@dataclass(kw_only=True)
class PasskeyRecord(VerificationRecord):
    """The user has an authenticator that made a new passkey. `passkey` is that passkey, once it is verified."""

    challenge: str
    rp_id: str
    passkey: Passkey | None = None

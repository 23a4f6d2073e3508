"""Verifications: passwords, codes by e-mail and SMS, and accounts at social providers.

The Verification API and the pages of the Account Center share them. Source: recorded from Logto 1.42.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from threading import RLock
from typing import Any, TypeVar

from .faults import Faults
from .instances import Instances
from .state.account_rules import check_new_email
from .state.application_record import Application
from .state.attempt_limits import MessageLimit, WrongAttempts
from .state.clock import Clock
from .state.columns import check_length, check_text
from .state.factors import use_backup_code, use_totp_code
from .state.json_columns import jsonb
from .state.message_connectors import SentMessage, message_connector, refused_message
from .state.passkey_authentication import use_passkey
from .state.records import User
from .state.refusals import Refused, permission_denied, record_not_found
from .state.sign_in_rules import accepts_password
from .state.social_connectors import social_authorization_uri
from .state.social_user_info import user_info_of
from .state.tenant import Tenant
from .state.verification_records import (
    NEW_ADDRESS,
    OWN_ADDRESS,
    RECORD_TTL,
    AddressKind,
    CodeRecord,
    PasswordRecord,
    SocialRecord,
    VerificationRecord,
)

__all__ = ["Verifications"]

_Record = TypeVar("_Record", bound=VerificationRecord)

# The columns for the addresses of codes.
_ADDRESS_LENGTHS = {"email": 128, "phone": 32}


class Verifications:
    """The verification records of a tenant, and the limits for attempts and messages.

    Methods raise `Refused` with Logto's code and status.
    """

    def __init__(self, tenant: Tenant, instances: Instances, clock: Clock, faults: Faults) -> None:
        self._tenant, self._instances, self._clock, self._faults = tenant, instances, clock, faults
        self._lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget all records and attempts."""
        self.records: dict[str, VerificationRecord] = {}
        self.wrong_attempts = WrongAttempts(self._clock)
        self.message_limit = MessageLimit(self._clock)

    # Records

    @property
    def new_expiry(self) -> int:
        """The time until which a new record is valid, in milliseconds."""
        return self._clock.now_ms() + RECORD_TTL * 1000

    def add(self, record: _Record) -> _Record:
        """Store a record and return it."""
        self.records[record.id] = record
        return record

    def find(self, record_id: str, kind: type[_Record]) -> _Record:
        """Return a record of this kind that has not expired, of any user. Raise 400 `verification_record.not_found`."""
        check_text(record_id)
        record = self.records.get(record_id)
        if not isinstance(record, kind) or record.expires_at <= self._clock.now_ms():
            raise record_not_found()
        return record

    def verified(self, record_id: str, kind: type[_Record]) -> _Record:
        """Return a record that is verified, too. Raise 400 `verification_record.not_found`."""
        record = self.find(record_id, kind)
        if not record.is_verified:
            raise record_not_found()
        return record

    def proves_identity(self, record_id: str | None, sub: str) -> bool:
        """Return whether a record permits the user to change what needs verification."""
        record = self.records.get(record_id or "")
        is_live = record is not None and record.expires_at > self._clock.now_ms()
        return record is not None and is_live and record.account_id == sub and record.proves_identity

    def check_identity(self, record_id: str | None, sub: str) -> None:
        """Raise 401 `verification_record.permission_denied` unless the record proves the identity of the user."""
        if not self.proves_identity(record_id, sub):
            raise permission_denied()

    # Passwords

    def verify_password(self, user: User, password: str) -> PasswordRecord:
        """Return a verified record. Raise Refused for a wrong password, and after too many of them.

        Raise MalformedDigest for a digest that cannot be read.
        """
        with self._lock:
            is_right = accepts_password(user, password)
            self._report_attempt(user.id, is_right=is_right)
            if not is_right:
                raise Refused("session.invalid_credentials", 422)
            return self.add(PasswordRecord(account_id=user.id, expires_at=self.new_expiry, is_verified=True))

    # Codes

    def send_code(
        self, user: User, kind: AddressKind, address: str, application: Application | None, *, template: str = ""
    ) -> CodeRecord:
        """Send a code to an address and return the record.

        For the present address of the user, the message has the given type. The record for another address belongs to
        no user.
        """
        present = user.primary_email if kind == "email" else user.primary_phone
        is_new = address != present
        template = NEW_ADDRESS if is_new else template or OWN_ADDRESS
        if is_new and kind == "email":
            check_new_email(self._tenant.sign_in_experience.settings["emailBlocklistPolicy"], address)
        with self._lock:
            if self.message_limit.is_reached(address):
                raise Refused("request.message_rate_limited", 429)
            check_text(address)
            check_length(address, _ADDRESS_LENGTHS[kind])
            connector = message_connector(self._tenant.sign_in_experience, kind, template)
            if self._faults.messages_fail:
                raise refused_message()
            code = f"{secrets.randbelow(1_000_000):06}"
            payload: dict[str, Any] = {"code": code, "locale": self._locale}
            if kind == "email":
                payload |= _described(user, application)
            self._tenant.sent_messages.append(
                SentMessage(connector.factory.id, address, code, template, payload, self._clock.now_ms())
            )
            self.message_limit.count(address)
            return self.add(
                CodeRecord(
                    account_id=None if is_new else user.id,
                    expires_at=self.new_expiry,
                    kind=kind,
                    address=address,
                    template=template,
                    code=code,
                    sent_at=self._clock.precise(),
                )
            )

    def verify_code(self, record_id: str, kind: AddressKind, address: str, code: str) -> CodeRecord:
        """Return the record, which is verified now. Raise Refused."""
        with self._lock:
            record = self.find(record_id, CodeRecord)
            if record.kind != kind:
                raise record_not_found()
            refusal = self._refusal_of_code(record, address, code)
            self._report_attempt(address, is_right=refusal is None)
            if refusal is not None:
                raise refusal
            record.is_verified = True
            return record

    def check_new_address(self, record_id: str, kind: AddressKind, address: str) -> None:
        """Raise 400 `verification_record.not_found` unless the record is a verified one of this address."""
        record = self.verified(record_id, CodeRecord)
        if (record.kind, record.address) != (kind, address):
            raise record_not_found()

    def _refusal_of_code(self, record: CodeRecord, address: str, code: str) -> Refused | None:
        policy = self._tenant.sign_in_experience.settings["verificationCodePolicy"]
        if record.is_verified:
            return Refused("verification_code.not_found")
        if record.address != address:
            return Refused(f"verification_code.{record.kind}_mismatch")
        if record.sent_at + policy.get("expirationDuration", 600) < self._clock.precise():
            return Refused("verification_code.expired")
        if record.tries >= policy.get("maxRetryAttempts", 10):
            return Refused("verification_code.exceed_max_try")
        if not hmac.compare_digest(record.code.encode(), code.encode()):
            record.tries += 1
            return Refused("verification_code.code_mismatch")
        return None

    # Second factors at a sign-in

    def use_totp_code(self, user: User, code: str) -> None:
        """Use a code of the user's authenticator app. Raise Refused for a wrong one and for one of a used time step."""
        with self._lock:
            is_right = use_totp_code(user.factors, code, at=self._clock.precise())
            self._report_attempt(f"Totp {user.id}", is_right=is_right)
            if not is_right:
                raise Refused("session.mfa.invalid_totp_code")

    def use_passkey(self, user: User, payload: Mapping[str, Any], *, challenge: str, rp_id: str, origin: str) -> None:
        """Use a passkey of the user. Raise Refused if the answer of the browser does not verify."""
        with self._lock:
            is_right = use_passkey(
                user, payload, challenge=challenge, rp_id=rp_id, origin=origin, used_at=self._clock.now_iso()
            )
            self._report_attempt(f"WebAuthn {user.id}", is_right=is_right)
            if not is_right:
                raise Refused("session.mfa.webauthn_verification_failed")

    def use_backup_code(self, user: User, code: str) -> None:
        """Use a backup code of the user. Raise Refused for a wrong one and for a used one."""
        with self._lock:
            is_right = use_backup_code(user.factors, code, used_at=self._clock.now_iso())
            self._report_attempt(f"BackupCode {user.id}", is_right=is_right)
            if not is_right:
                raise Refused("session.mfa.invalid_backup_code")

    # Social providers

    def start_social(
        self, connector_id: str, *, state: str, redirect_uri: str, scope: str | None, endpoint: str
    ) -> tuple[SocialRecord, str]:
        """Return a record that is not verified, and the URL of the social provider. The record belongs to no user.

        `endpoint` is that of the emulator, which has a stand-in for Alipay.
        """
        connector = self._tenant.sign_in_experience.connector_instances.get(connector_id)
        if connector is None:
            raise Refused("session.invalid_connector_id", 422, connectorId=connector_id)
        if connector.factory.type != "Social":
            raise Refused("connector.unexpected_type")
        if not state or not redirect_uri:
            raise Refused("session.insufficient_info")
        uri = social_authorization_uri(
            connector, state=state, redirect_uri=redirect_uri, scope=scope, endpoint=endpoint
        )
        record = SocialRecord(
            account_id=None, expires_at=self.new_expiry, connector_id=connector.id, target=connector.target
        )
        return self.add(record), uri

    def verify_social(self, record_id: str, connector_data: Mapping[str, Any]) -> SocialRecord:
        """Return the record, which is verified now. Like Logto, the connectors here check no `state`."""
        with self._lock:
            record = self.find(record_id, SocialRecord)
            connector = self._tenant.sign_in_experience.connector_instances.get(record.connector_id)
            if connector is None:
                raise Refused("session.invalid_connector_id", 422, connectorId=record.connector_id)
            record.user_info = user_info_of(connector, connector_data, self._instances.alipay_auth_codes)
            record.is_verified = True
            return record

    # Limits

    @property
    def _locale(self) -> str:
        return str(self._tenant.sign_in_experience.settings["languageInfo"].get("fallbackLanguage", "en"))

    def _report_attempt(self, target: str, *, is_right: bool) -> None:
        """Count an attempt. Raise Refused if the target is blocked, even for a right one."""
        policy = self._tenant.sign_in_experience.settings["sentinelPolicy"]
        until = self.wrong_attempts.report(
            target,
            is_right=is_right,
            most=policy.get("maxAttempts", 100),
            lockout_minutes=policy.get("lockoutDuration", 60),
        )
        if until is not None:
            minutes = round((until - self._clock.precise()) / 60)
            unit = "minute" if minutes == 1 else "minutes"
            raise Refused("session.verification_blocked_too_many_attempts", relativeTime=f"in {minutes} {unit}")


def _described(user: User, application: Application | None) -> dict[str, Any]:
    """Return what an e-mail template may mention."""
    described = {} if application is None else {"application": {"id": application.id, "name": application.name}}
    return {
        **described,
        "user": {
            "id": user.id,
            "avatar": user.avatar,
            "name": user.name,
            "primaryEmail": user.primary_email,
            "primaryPhone": user.primary_phone,
            "username": user.username,
            "profile": jsonb(user.profile),
        },
    }

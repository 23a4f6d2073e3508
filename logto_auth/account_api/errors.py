"""The errors of the Account API and the Verification API, without Django.

    AccountAPIError                Logto answered with an error
    ├── AccessTokenRejected        Logto no longer accepts the access token
    ├── AccountScopeMissing        the access token lacks a scope
    ├── AccountCenterDisabled      the account center is off
    ├── FieldNotEditable           the account center does not let users change, or see, a field
    ├── VerificationRequired       the user has to prove again who they are
    ├── WrongPassword
    ├── WrongCode
    ├── CodeExpired                a code, or the proof of a new address, has expired or was never valid
    ├── VerificationBlocked        too many tries
    ├── InvalidValue               Logto does not accept a value
    │   └── PasswordRejected       the new password does not fit the password policy
    ├── MessageNotSent             an e-mail or SMS was not sent
    └── AccountServiceFailed       Logto failed

Logto's statuses are uneven: it sends 400, 401 or 422 for one kind of error. `status` is the status for the visitor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from logto_auth.oidc.errors import LogtoError

__all__ = [
    "AccessTokenRejected",
    "AccountAPIError",
    "AccountCenterDisabled",
    "AccountScopeMissing",
    "AccountServiceFailed",
    "CodeExpired",
    "FieldNotEditable",
    "InvalidValue",
    "MessageNotSent",
    "PasswordRejected",
    "VerificationBlocked",
    "VerificationRequired",
    "WrongCode",
    "WrongPassword",
]


class AccountAPIError(LogtoError):
    """The Account API or the Verification API answered with an error.

    `code` is Logto's, such as `user.username_already_in_use`. `status` is the HTTP status for the visitor, which need
    not be that of Logto's answer. `message` is Logto's, in English. `data` is what Logto adds, None if it adds nothing
    or if it may hold a secret.
    """

    code = "account_api_error"
    status = 502

    def __init__(
        self,
        text: str,
        *,
        code: str | None = None,
        status: int | None = None,
        message: str = "",
        data: object = None,
    ) -> None:
        super().__init__(text, code=code, status=status)
        self.message = message or text
        self.data = data


class AccessTokenRejected(AccountAPIError):
    """Logto does not accept the access token: it has expired, its session has ended, or the user is suspended.

    `request.logto.account` refreshes the tokens once, and raises SignInRequired if that does not help.
    """

    code = "auth.unauthorized"
    status = 401


class AccountScopeMissing(AccountAPIError):
    """The access token lacks a scope. A new sign-in with `scopes` gives a token that has them."""

    code = "scope_missing"
    status = 403

    def __init__(self, text: str, *, scopes: Iterable[str] = (), **details: Any) -> None:
        super().__init__(text, **details)
        self.scopes = tuple(scopes)


class AccountCenterDisabled(AccountAPIError):
    """The account center is off. An operator switches it on: in Logto's Console, or with `logto_setup`."""

    code = "account_center.not_enabled"
    status = 403


class FieldNotEditable(AccountAPIError):
    """The account center does not let users change a field, or see it. `field` is Logto's name, "" if unknown.

    With the code `session.mfa.mfa_factor_not_enabled`, the tenant does not offer this kind of second factor.
    """

    code = "account_center.field_not_editable"
    status = 403

    def __init__(self, text: str, *, field: str = "", **details: Any) -> None:
        super().__init__(text, **details)
        self.field = field


class VerificationRequired(AccountAPIError):
    """There is no verification record of the user, or it has expired. Let the user prove again who they are."""

    code = "verification_record.permission_denied"
    status = 401


class WrongPassword(AccountAPIError):
    """The password is not that of the user. The user may try again."""

    code = "session.invalid_credentials"
    status = 400


class WrongCode(AccountAPIError):
    """The code is wrong. The user may try again."""

    code = "verification_code.code_mismatch"
    status = 400


class CodeExpired(AccountAPIError):
    """The code, or the record of a new address, is unknown, used or too old. The user has to start again."""

    code = "verification_record.not_found"
    status = 400


class VerificationBlocked(AccountAPIError):
    """Too many tries. `retry_after_seconds` says when the user may try again, None if Logto does not say."""

    code = "session.verification_blocked_too_many_attempts"
    status = 429

    def __init__(self, text: str, *, retry_after_seconds: int | None = None, **details: Any) -> None:
        super().__init__(text, **details)
        self.retry_after_seconds = retry_after_seconds


class InvalidValue(AccountAPIError):
    """Logto does not accept a value: it is malformed, taken, unknown, or the last way in. `code` says which.

    `field` names the value: a field of the account center (`email`, `username`, `social`), a key of the profile
    (`birthdate`), `code`, `secret`, `backup_codes`, `passkey`, `connector`, `session` or `grant`; "" if unknown.
    """

    code = "guard.invalid_input"
    status = 400

    def __init__(self, text: str, *, field: str = "", **details: Any) -> None:
        super().__init__(text, **details)
        self.field = field


class PasswordRejected(InvalidValue):
    """The new password does not fit the password policy.

    `reasons` has pairs of Logto's code, such as `password_rejected.too_short`, and what its text needs, such as
    `{"min": 8}`. The latter may repeat words of the password: show it to the user only.
    """

    code = "password.rejected"

    def __init__(self, text: str, *, reasons: Iterable[tuple[str, Mapping[str, Any]]] = (), **details: Any) -> None:
        super().__init__(text, **{"field": "password", **details})
        self.reasons = list(reasons)


class MessageNotSent(AccountAPIError):
    """Logto did not send an e-mail or an SMS: it has no connector for it, or the connector failed."""

    code = "connector.not_found"
    status = 503


class AccountServiceFailed(AccountAPIError):
    """Logto failed, for example because it cannot reach the list of leaked passwords. The user may try again."""

    code = "account_service_failed"
    status = 502

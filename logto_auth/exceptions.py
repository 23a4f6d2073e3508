"""All errors of the package, as one tree.

    LogtoError
    ├── ProviderError             Logto answered with an error, or not as the protocol requires
    │   └── ProviderUnreachable   no answer from Logto, or not in time
    ├── ManagementAPIError        the Management API answered with an error
    ├── AccountAPIError           the Account API answered with an error
    │   ├── AccessTokenRejected     Logto no longer accepts the access token
    │   ├── AccountScopeMissing     the access token lacks a scope
    │   ├── AccountCenterDisabled   the account center is off
    │   ├── FieldNotEditable        users may not change a field, or not see it
    │   ├── VerificationRequired    the user has to prove again who they are
    │   ├── WrongPassword
    │   ├── WrongCode
    │   ├── CodeExpired             a code, or the proof of a new address, has expired or was never valid
    │   ├── VerificationBlocked     too many tries
    │   ├── InvalidValue            Logto does not accept a value
    │   │   └── PasswordRejected    the new password does not fit the password policy
    │   ├── MessageNotSent          an e-mail or SMS was not sent
    │   └── AccountServiceFailed    Logto failed
    ├── TokenError                a token failed a check                            (also SuspiciousOperation)
    ├── CallbackError             a callback without a sign-in in this browser      (also SuspiciousOperation)
    ├── InvalidSignInOption       a sign-in option that Logto would not accept      (also ValueError)
    ├── InvalidAccountTask        a page that Logto's Account Center does not have  (also ValueError)
    ├── ConnectorError            a connector that cannot be set up or enabled      (also ValueError)
    ├── TooManyRequests           a limit of requests is reached
    ├── AuthorizationHeaderError  an Authorization header without one bearer token  (also SuspiciousOperation)
    ├── SignInRefused             the site does not accept this user                (also PermissionDenied)
    ├── OrganizationRequired      there is no current organization                  (also PermissionDenied)
    ├── ImpersonationRefused      staff may not act as this user                    (also PermissionDenied)
    ├── NotDuringImpersonation    nobody may do this while they act as a user       (also PermissionDenied)
    ├── NotRecorded               a sign-in that the audit trail could not record
    ├── SignInRequired            only a new sign-in can give what was requested
    └── StepExpired               a form with several steps has to start again

    ConfigurationError            a setting is missing or wrong     (an ImproperlyConfigured, outside the tree)
    AuditIsAppendOnly             code would change the audit trail              (a RuntimeError, outside the tree)

Each `LogtoError` has a `code`, which stays the same from version to version, and the HTTP `status` of the page that the
visitor gets. Its text is for the operator and never holds a token or a secret.

The protocol layer does not know Django: `logto_auth.oidc` raises a plain `TokenError` or `CallbackError`, and
`logto_auth.clients` replaces it by the class of this module. Django then answers 400 when a view does not catch it.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation

from .account_api.errors import (
    AccessTokenRejected,
    AccountAPIError,
    AccountCenterDisabled,
    AccountScopeMissing,
    AccountServiceFailed,
    CodeExpired,
    FieldNotEditable,
    InvalidValue,
    MessageNotSent,
    PasswordRejected,
    VerificationBlocked,
    VerificationRequired,
    WrongCode,
    WrongPassword,
)
from .management_api.errors import ConnectorError, ManagementAPIError
from .oidc import errors
from .oidc.errors import InvalidSignInOption, LogtoError, ProviderError, ProviderUnreachable

__all__ = [
    "AccessTokenRejected",
    "AccountAPIError",
    "AccountCenterDisabled",
    "AccountScopeMissing",
    "AccountServiceFailed",
    "AuditIsAppendOnly",
    "AuthorizationHeaderError",
    "CallbackError",
    "CodeExpired",
    "ConfigurationError",
    "ConnectorError",
    "FieldNotEditable",
    "ImpersonationRefused",
    "InvalidAccountTask",
    "InvalidSignInOption",
    "InvalidValue",
    "LogtoError",
    "ManagementAPIError",
    "MessageNotSent",
    "NotDuringImpersonation",
    "NotRecorded",
    "OrganizationRequired",
    "PasswordRejected",
    "ProviderError",
    "ProviderUnreachable",
    "SignInRefused",
    "SignInRequired",
    "StepExpired",
    "TokenError",
    "TooManyRequests",
    "VerificationBlocked",
    "VerificationRequired",
    "WrongCode",
    "WrongPassword",
]


class ConfigurationError(ImproperlyConfigured):
    """A setting is missing or wrong. The message names it and the remedy."""


class AuditIsAppendOnly(RuntimeError):
    """Code would change or delete rows of the audit trail, or add rows without their digests."""


class TokenError(errors.TokenError, SuspiciousOperation):
    """A token failed a check. `claim` names the claim, the header or the part that failed first."""


class CallbackError(errors.CallbackError, SuspiciousOperation):
    """The callback does not belong to a sign-in that this browser has started."""


class AuthorizationHeaderError(LogtoError, SuspiciousOperation):
    """An `Authorization` header with the scheme Bearer holds no token, or more than one."""

    code = "invalid_request"
    status = 400


class TooManyRequests(LogtoError):
    """A limit of requests is reached. Answer 429 with `Retry-After`: `retry_after_seconds`."""

    code = "too_many_requests"
    status = 429

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SignInRefused(LogtoError, PermissionDenied):
    """The site does not accept this user. Raise it from a hook; the user sees `visitor_message`."""

    code = "refused_by_site"
    status = 403

    def __init__(
        self, message: str, *, visitor_message: str = "", code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.visitor_message = visitor_message


class OrganizationRequired(LogtoError, PermissionDenied):
    """There is no current organization: the user has chosen none, or does not belong to the one in the URL."""

    code = "organization_required"
    status = 403


class ImpersonationRefused(LogtoError, PermissionDenied):
    """Staff may not act as this user. `visitor_message` is a text for them, "" for the usual one of `code`.

    Raise it from the function of `LOGTO_IMPERSONATION_ALLOWED`.
    """

    code = "impersonation_refused_by_site"
    status = 403

    def __init__(
        self, message: str, *, visitor_message: str = "", code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.visitor_message = visitor_message


class NotDuringImpersonation(LogtoError, PermissionDenied):
    """Only the user may do this, and staff act as the user now."""

    code = "not_during_impersonation"
    status = 403


class NotRecorded(LogtoError):
    """The audit trail could not record a sign-in, and `LOGTO_AUDIT_REQUIRED` is set. Nobody is signed in.

    Also the start of an impersonation, which then does not begin.
    """

    code = "not_recorded"
    status = 503


class SignInRequired(LogtoError):
    """Only a new sign-in can give what was requested. Send the visitor to the sign-in view."""

    code = "sign_in_required"
    status = 401


class StepExpired(LogtoError):
    """The hidden field of a form is too old, altered, or from another session or form. Show the first step again."""

    code = "step_expired"
    status = 400


class InvalidAccountTask(LogtoError, ValueError):
    """Logto's Account Center has no such page or task, or the task needs another argument."""

    code = "invalid_account_task"
    status = 400

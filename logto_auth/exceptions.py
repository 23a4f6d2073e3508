"""What can go wrong, as one tree.

    LogtoError
    ├── ProviderError             Logto answered with an error, or not as the protocol demands
    │   └── ProviderUnreachable   no answer from Logto, or not in time
    ├── ManagementAPIError        the Management API answered with an error
    ├── TokenError                a token failed a check            (also SuspiciousOperation)
    ├── CallbackError             a callback that is not ours       (also SuspiciousOperation)
    ├── InvalidSignInOption       an option Logto would not take    (also ValueError)
    ├── ConnectorError            a connector that cannot be so     (also ValueError)
    ├── AuthorizationHeaderError  a header that holds no bearer token  (also SuspiciousOperation)
    ├── SignInRefused             the site does not let this person in  (also PermissionDenied)
    ├── OrganizationRequired      there is no current organization  (also PermissionDenied)
    └── SignInRequired            only a new sign-in can give what was asked for

    ConfigurationError            a setting is missing or wrong     (an ImproperlyConfigured, outside the tree)

Each `LogtoError` has a `code`, which stays the same from version to version, and the HTTP `status` of the page that a
visitor gets. Its text is for the operator and never holds a token or a secret.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation


class ConfigurationError(ImproperlyConfigured):
    """A setting is missing or wrong; the message names it and the remedy."""


class LogtoError(Exception):
    """Anything about Logto that went wrong at run time."""

    code = "logto_error"
    status = 500

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.status = status or self.status


class ProviderError(LogtoError):
    """Logto answered with an error, or with something the protocol does not allow.

    `error` and `error_description` are OAuth's, empty when Logto sent none. `retry_after_seconds` is set when Logto
    asked for patience.
    """

    code = "provider_error"
    status = 502

    def __init__(
        self,
        message: str,
        *,
        error: str = "",
        error_description: str = "",
        retry_after_seconds: int | None = None,
        code: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.error = error
        self.error_description = error_description
        self.retry_after_seconds = retry_after_seconds


class ProviderUnreachable(ProviderError):
    """No answer from Logto, or not in time: try again later."""

    code = "provider_unreachable"
    status = 503


class ManagementAPIError(LogtoError):
    """The Management API answered with an error, in Logto's own words.

    `code` is Logto's, such as `user.username_already_in_use`: tell errors apart by it, for `message` is translated.
    `status` is the answer's; `data` is what Logto adds, None when nothing.
    """

    code = "management_api_error"
    status = 502

    def __init__(self, text: str, *, code: str, status: int, message: str = "", data: object = None) -> None:
        super().__init__(text, code=code, status=status)
        self.message = message or text
        self.data = data


class TokenError(LogtoError, SuspiciousOperation):
    """A token failed a check. `claim` names the claim, header or part that failed first."""

    code = "token_invalid"
    status = 400

    def __init__(self, message: str, *, claim: str) -> None:
        super().__init__(message)
        self.claim = claim


class CallbackError(LogtoError, SuspiciousOperation):
    """The browser came to the callback with something that no sign-in of this browser waits for."""

    code = "callback_invalid"
    status = 400


class AuthorizationHeaderError(LogtoError, SuspiciousOperation):
    """An `Authorization` header of the scheme Bearer holds no token, or more than one."""

    code = "invalid_request"
    status = 400


class InvalidSignInOption(LogtoError, ValueError):
    """A sign-in option has a value that Logto does not take; Logto would then ignore all of them in silence."""

    code = "invalid_option"
    status = 400


class ConnectorError(LogtoError, ValueError):
    """A connector cannot be had, set up or enabled like this. A line for each fault, and no secret in any."""

    code = "connector_error"
    status = 400


class SignInRefused(LogtoError, PermissionDenied):
    """The site does not let this person in. Raise it from a hook; `visitor_message` is shown to the person."""

    code = "refused_by_site"
    status = 403

    def __init__(
        self, message: str, *, visitor_message: str = "", code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message, code=code, status=status)
        self.visitor_message = visitor_message


class OrganizationRequired(LogtoError, PermissionDenied):
    """There is no current organization: the address names none that the person belongs to, and none was chosen."""

    code = "organization_required"
    status = 403


class SignInRequired(LogtoError):
    """Only a new sign-in can give what was asked for: send the visitor to the sign-in view."""

    code = "sign_in_required"
    status = 401

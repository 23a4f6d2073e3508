"""Logto's answers as values and errors. Its statuses are uneven, so that the code of an answer decides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from logto_auth.oidc.errors import ProviderError, single_line
from logto_auth.oidc.http import Response, retry_after_seconds
from logto_auth.oidc.secrets import Secret, hide_frames

from .errors import (
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

__all__ = ["Call", "error_from", "json_in", "list_in", "object_in", "seconds_in", "text_in", "unexpected_body"]


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call: what it needs, and how its errors are named."""

    name: str
    """Method and path, without the ids in it, for messages."""
    scopes: tuple[str, ...] = ()
    """The scopes that the access token needs."""
    field: str = ""
    """The field of the account center that the call reads or changes."""
    row: str = ""
    """What the id in the path names, such as `session`."""
    sends_message: bool = False
    """Whether Logto sends an e-mail or an SMS."""


# Errors that need nothing but what all errors have.
_PLAIN_ERRORS: Mapping[str, type[AccountAPIError]] = {
    "account_center.not_enabled": AccountCenterDisabled,
    "verification_record.permission_denied": VerificationRequired,
    "session.invalid_credentials": WrongPassword,
    "verification_code.code_mismatch": WrongCode,
    "session.mfa.invalid_totp_code": WrongCode,
    "verification_code.not_found": CodeExpired,
    "verification_code.expired": CodeExpired,
    "verification_code.exceed_max_try": CodeExpired,
    "verification_code.email_mismatch": CodeExpired,
    "verification_code.phone_mismatch": CodeExpired,
    "verification_record.not_found": CodeExpired,
    "session.connector_session_not_found": CodeExpired,
    "session.connector_validation_session_not_found": CodeExpired,
    "session.mfa.pending_info_not_found": CodeExpired,
    "session.verification_expired": CodeExpired,
    "session.verification_session_not_found": CodeExpired,
}
# What the operator has not allowed: a field, or a kind of second factor.
_FIELD_CODES = frozenset(
    {
        "account_center.field_not_editable",
        "account_center.field_not_enabled",
        "session.mfa.mfa_factor_not_enabled",
    }
)
_BLOCKED_CODES = frozenset({"session.verification_blocked_too_many_attempts", "request.message_rate_limited"})
# Which value an error is about. An empty text stands for the field of the call.
_INVALID_FIELDS = {
    "entity.invalid_input": "",
    "entity.value_too_long": "",
    "oidc.invalid_session_account_id": "session",
    "oidc.session_not_found": "session",
    "session.invalid_connector_id": "connector",
    "session.mfa.backup_code_can_not_be_alone": "backup_codes",
    "session.mfa.webauthn_verification_failed": "passkey",
    "user.backup_code_already_in_use": "backup_codes",
    "user.email_already_in_use": "email",
    "user.identity_already_in_use": "social",
    "user.identity_not_exist": "social",
    "user.phone_already_in_use": "phone",
    "user.totp_already_in_use": "mfa",
    "user.totp_secret_invalid": "secret",
    "user.username_already_in_use": "username",
    "user.wrong_backup_code_format": "backup_codes",
}
# A new version of Logto may have more codes that are about a value.
_INVALID_PREFIXES = ("guard.", "session.email_blocklist.", "user.")
# What a connector or a provider said, in Logto's words. It may repeat what they were sent, a code for example.
_CONNECTOR_PREFIX = "connector."
_UNEXPECTED_BODY = "unexpected_body"
# A password of one letter is part of every message, and protects nothing.
_MIN_SECRET_LENGTH = 4
# Logto gives the end of a block only in its text, which is English without a header Accept-Language.
_RETRY_AFTER = re.compile(r"in ([0-9]{1,4}) (second|minute|hour)s?\b")
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}


def error_from(response: Response, call: Call, *, sent: object = None) -> AccountAPIError:
    """Return the error for an answer with a status of 400 or more.

    `sent` is what the call sent. Its secrets are removed from the error, in case Logto repeats them.
    """
    body = _error_body(response)
    code = single_line(body.get("code"))
    message = "" if code.startswith(_CONNECTOR_PREFIX) else _without(sent, single_line(body.get("message")))
    text = f"{call.name} was answered with {response.status}: {' '.join(filter(None, (code, message))) or 'no code'}"
    details: dict[str, Any] = {"code": code or f"http_{response.status}", "message": message}
    return _error(response, call, text, details, body.get("data"), sent)


def _error(
    response: Response, call: Call, text: str, details: dict[str, Any], data: object, sent: object
) -> AccountAPIError:
    code = details["code"]
    if response.status == 401 and code not in _PLAIN_ERRORS.keys() | _FIELD_CODES:
        return AccessTokenRejected(text, **details)
    if code == "auth.unauthorized":
        needed = " ".join(call.scopes) or "unknown"
        return AccountScopeMissing(f"{text} Needed scopes: {needed}.", scopes=call.scopes, **details)
    if call.row and (code == "verification_record.not_found" or (response.status == 404 and _has_code(details))):
        return InvalidValue(text, field=call.row, **details)
    if code in _PLAIN_ERRORS:
        return _PLAIN_ERRORS[code](text, **details)
    if code in _FIELD_CODES:
        return FieldNotEditable(f"{text} Field: {call.field or 'unknown'}.", field=call.field, **details)
    if code in _BLOCKED_CODES or response.status == 429:
        return VerificationBlocked(text, retry_after_seconds=_retry_after(response, details["message"]), **details)
    if code.startswith(_CONNECTOR_PREFIX):
        return _connector_error(call, text, details)
    if code == "password.rejected":
        return PasswordRejected(text, reasons=_reasons(data), **details)
    if response.status >= 500:
        return AccountServiceFailed(text, **details)
    if code in _INVALID_FIELDS or (code.startswith(_INVALID_PREFIXES) and response.status != 403):
        return _invalid_value(call, text, details, data, sent)
    return AccountAPIError(
        text,
        status=403 if response.status == 403 else None,
        data=_without_in(sent, data) if code.startswith("oidc.") else None,
        **details,
    )


def _has_code(details: dict[str, Any]) -> bool:
    """Return whether Logto sent a code: not for a route that it does not have."""
    return not details["code"].startswith("http_")


def _connector_error(call: Call, text: str, details: dict[str, Any]) -> AccountAPIError:
    text = f"{text} Logto's audit logs have the details."
    if call.sends_message:
        return MessageNotSent(text, **details)
    return InvalidValue(text, field=call.field, **details)


def _invalid_value(call: Call, text: str, details: dict[str, Any], data: object, sent: object) -> InvalidValue:
    code = details["code"]
    path = _path(data)
    if path:
        return InvalidValue(f"{text} In: {'.'.join(path)}.", field=_field_of(path, call), **details)
    field = _INVALID_FIELDS.get(code) or call.field or call.row
    return InvalidValue(text, field=field, data=_without_in(sent, data), **details)


def _path(data: object) -> list[str]:
    """Return the path of the first value that a validation refused. The rest of its data may repeat the value."""
    issues = data.get("issues") if isinstance(data, dict) else None
    first = issues[0] if isinstance(issues, list) and issues else None
    path = first.get("path") if isinstance(first, dict) else None
    return [single_line(str(part), 50) for part in path[:5]] if isinstance(path, list) else []


def _field_of(path: list[str], call: Call) -> str:
    # The payloads that wrap a value have the names of Logto's schema, which are not those of fields.
    is_wrapper = path[0] in {"identifier", "payload", "connectorData"} or path[0].endswith("Id")
    return call.field if is_wrapper or not path[0] else path[0]


def _reasons(data: object) -> list[tuple[str, dict[str, Any]]]:
    """Return why a password was rejected: pairs of a code and what its text needs."""
    if not isinstance(data, list):
        return []
    return [
        (single_line(each.get("code")), interpolation if isinstance(interpolation, dict) else {})
        for each in data
        if isinstance(each, dict)
        for interpolation in [each.get("interpolation")]
    ]


def _retry_after(response: Response, message: str) -> int | None:
    seconds = retry_after_seconds(response)
    match = _RETRY_AFTER.search(message)
    if seconds is None and match is not None:
        seconds = int(match[1]) * _UNIT_SECONDS[match[2]]
    return seconds


def _error_body(response: Response) -> dict[str, Any]:
    try:
        return response.json_object()
    except ProviderError:
        return {}


# Secrets in an answer


def _without_in(sent: object, value: Any) -> Any:
    """Return JSON without the secrets of `sent`."""
    if isinstance(value, str):
        return _without(sent, value)
    if isinstance(value, list):
        return [_without_in(sent, each) for each in value]
    if isinstance(value, dict):
        return {_without(sent, key): _without_in(sent, each) for key, each in value.items()}
    return value


@hide_frames
def _without(sent: object, text: str) -> str:
    """Return `text` without the secrets of `sent`."""
    for secret in _secrets(sent):
        if len(secret.reveal()) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret.reveal(), repr(secret))
    return text


def _secrets(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _secrets(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _secrets(each)


# Values


def unexpected_body(call: Call, expected: str) -> AccountAPIError:
    """Return the error for a successful answer that is not what Logto's document says."""
    return AccountAPIError(f"{call.name} was answered without {expected}.", code=_UNEXPECTED_BODY)


def json_in(response: Response) -> Any:
    """Return the body, None if it is not JSON."""
    try:
        return response.json()
    except ProviderError:
        return None


def object_in(response: Response, call: Call, *needed: str) -> dict[str, Any]:
    """Return the body, an object with the keys `needed`. Raise AccountAPIError if it is something else."""
    body = json_in(response)
    if not isinstance(body, dict) or not body.keys() >= set(needed):
        raise unexpected_body(call, f"an object that has {' and '.join(needed)}" if needed else "an object")
    return body


def list_in(value: object, call: Call) -> list[Any]:
    """Return the list of objects. Raise AccountAPIError if it is something else."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise unexpected_body(call, "a list of objects")
    return value


def text_in(value: object, call: Call) -> str:
    """Return the text. Raise AccountAPIError if it is empty or no text."""
    if not isinstance(value, str) or not value:
        raise unexpected_body(call, "the expected text")
    return value


def seconds_in(value: object, call: Call) -> float:
    """Return a time in ISO 8601 in seconds since the epoch. Raise AccountAPIError if it is not one."""
    try:
        # Python 3.10 does not read the letter Z.
        moment = datetime.fromisoformat(text_in(value, call).replace("Z", "+00:00"))
    except ValueError:
        raise unexpected_body(call, "a time") from None
    if moment.tzinfo is None:
        raise unexpected_body(call, "a time with a time zone")
    return moment.timestamp()

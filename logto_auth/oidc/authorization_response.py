"""The authorization response: the parameters that Logto adds to the redirect URI.

Sources: OpenID Connect Core 1.0, sections 3.1.2.5 and 3.1.2.6; RFC 6749, section 4.1.2; RFC 9207.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .errors import CallbackError, ProviderError, single_line
from .oauth_errors import Fault, meaning_of, with_remedy

__all__ = ["AuthorizationResponse"]

_MAX_CODE_LENGTH = 2048
# Answers to `prompt=none` when a user is signed in at Logto, and would have to do something.
_INTERACTION_ERRORS = frozenset({"consent_required", "interaction_required", "account_selection_required"})


@dataclass(frozen=True, kw_only=True)
class AuthorizationResponse:
    """The parameters of an authorization response. None of them is checked yet, except that none is repeated.

    A parameter is None when it is missing.
    """

    code: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    iss: str | None = None
    error: str | None = None
    error_description: str | None = None

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Sequence[str]]) -> AuthorizationResponse:
        """Return the response with these query parameters, a list of values for each name.

        Raise CallbackError when a parameter is repeated (RFC 6749, section 3.1). Unknown parameters are ignored.
        """
        found: dict[str, str] = {}
        for name in ("code", "state", "iss", "error", "error_description"):
            values = parameters.get(name, ())
            if len(values) > 1:
                raise CallbackError(f"The callback has the parameter {name} more than once.")
            if values:
                found[name] = values[0]
        return cls(**found)

    @property
    def is_empty(self) -> bool:
        """Whether all parameters are missing or empty, as after the Cancel button of Logto's consent page."""
        return not any((self.code, self.state, self.iss, self.error, self.error_description))

    def check_issuer(self, issuer: str) -> None:
        """Raise CallbackError unless `iss` is exactly `issuer`. Source: RFC 9207, section 2.4."""
        if self.iss != issuer:
            came = "none" if self.iss is None else f"{self.iss!r:.200}"
            raise CallbackError(f"The callback names issuer {came}, expected {issuer!r}.", code="issuer_mismatch")

    def authorization_code(self) -> str:
        """Return the authorization code.

        Raise CallbackError when the code is missing, too long or not printable. Raise ProviderError when the response
        has an `error`, also beside a code. Its `code` is `access_denied` (the user cancelled), `login_required`
        (`prompt=none`, and no user is signed in), `interaction_required` (`prompt=none`, and the user would have to do
        something), `provider_error` (Logto failed) or `authorization_failed` (anything else). The `status` of the last
        one is 503 if the operator has to act, with the remedy in the message, and 400 if the error is unknown.
        Source: OpenID Connect Core 1.0, section 3.1.2.6; RFC 6749, section 4.1.2.1.
        """
        if self.error is not None:
            raise _authorization_error(single_line(self.error), single_line(self.error_description))
        code = self.code or ""
        if not 0 < len(code) <= _MAX_CODE_LENGTH or not code.isascii() or not code.isprintable():
            raise CallbackError(
                f"The callback has a code of {len(code)} characters, expected 1 to {_MAX_CODE_LENGTH} printable ones."
            )
        return code


def _authorization_error(error: str, description: str) -> ProviderError:
    meaning = meaning_of(error, description)
    if error == "login_required":
        code, status = "login_required", 401
    elif error in _INTERACTION_ERRORS:
        code, status = "interaction_required", 401
    elif meaning.fault is Fault.USER:
        code, status = "access_denied", 403
    elif meaning.fault is Fault.LOGTO:
        code, status = "provider_error", 502
    elif meaning.fault is Fault.OPERATOR:
        code, status = "authorization_failed", 503
    else:
        code, status = "authorization_failed", 400
    message = with_remedy(f"Logto ended the sign-in with {error or 'an empty error'}: {description}", meaning)
    return ProviderError(message, error=error, error_description=description, code=code, status=status)

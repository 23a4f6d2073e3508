"""OIDC errors in Logto's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Messages by `code`. Clients should branch on `error`.
_MESSAGES = {
    "oidc.access_denied": "Access denied.",
    "oidc.insufficient_scope": "Token missing scope `{{{{scope}}}}`.",
    "oidc.invalid_client_metadata": "Invalid client metadata provided.",
    "oidc.invalid_grant": "Grant request is invalid.",
    "oidc.invalid_redirect_uri": "`redirect_uri` did not match any of the client's registered `redirect_uris`.",
    "oidc.invalid_request": "Request is invalid.",
    "oidc.invalid_scope": "Invalid scope: {description}.",
    "oidc.invalid_target": "Invalid resource indicator.",
    "oidc.invalid_token": "Invalid token provided.",
    "oidc.server_error": "An unknown OIDC error occurred. Please try again later.",
    "oidc.unsupported_grant_type": "Unsupported `grant_type` requested.",
    "oidc.unsupported_response_mode": "Unsupported `response_mode` requested.",
    "oidc.unsupported_response_type": "Unsupported `response_type` requested.",
    "session.not_found": "Session not found. Please go back and sign in again.",
}


class OIDCError(Exception):
    """An OAuth error. `redirectable` says whether an authorization error may be sent to the redirect URI."""

    def __init__(
        self,
        error: str,
        description: str | None,
        *,
        status: int = 400,
        scope: str | None = None,
        code: str | None = None,
        redirectable: bool = True,
    ) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description
        self.status = status
        self.scope = scope
        self.code = code or f"oidc.{error}"
        self.redirectable = redirectable

    def parameters(self) -> dict[str, str]:
        """Return the OAuth fields, which go to the callback. `parse_error=false` reduces a response to them."""
        optional = {"error_description": self.description, "scope": self.scope}
        return {"error": self.error, **{name: text for name, text in optional.items() if text is not None}}

    def body(self) -> dict[str, Any]:
        """Return Logto's JSON. `error_uri` comes with `invalid_grant` only."""
        fallback = f"An OIDC error occurred: {self.code}."
        message = _MESSAGES.get(self.code, fallback).format(scope=self.scope, description=self.description)
        body: dict[str, Any] = {"code": self.code, "message": message}
        if self.error == "invalid_grant":
            body["error_uri"] = "https://openid.sh/debug/invalid_grant"
        return body | self.parameters()


def invalid_request(description: str) -> OIDCError:
    return OIDCError("invalid_request", description)


def invalid_grant() -> OIDCError:
    """Return the error for all causes: Logto does not distinguish them."""
    return OIDCError("invalid_grant", "grant request is invalid")


def invalid_target(description: str = "resource indicator is missing, or unknown") -> OIDCError:
    return OIDCError("invalid_target", description)


def invalid_token() -> OIDCError:
    return OIDCError("invalid_token", "invalid token provided", status=401)


def unknown_client(client_id: str) -> OIDCError:
    """Return the error for an unknown client id: 400, while a wrong secret gives 401."""
    return invalid_client(f"invalid client {client_id}")


def invalid_client(description: str) -> OIDCError:
    return OIDCError("invalid_client", description, redirectable=False)


def no_key_for_id_tokens(algs: Sequence[str]) -> OIDCError:
    """Return the error if no key has the algorithm that Logto requires of all clients. `algs` are those of the keys."""
    description = f"id_token_signed_response_alg must be {listed(algs, 'or')}"
    return OIDCError("invalid_client_metadata", description, redirectable=False)


def client_authentication_failed() -> OIDCError:
    return OIDCError("invalid_client", "client authentication failed", status=401)


def access_denied(description: str, *, status: int = 403) -> OIDCError:
    return OIDCError("access_denied", description, status=status)


def missing_parameters(*names: str) -> OIDCError:
    plural = "" if len(names) == 1 else "s"
    return invalid_request(f"missing required parameter{plural} {listed(names)}")


def repeated_parameters(*names: str) -> OIDCError:
    plural = "" if len(names) == 1 else "s"
    return invalid_request(f"{listed(names)} parameter{plural} must not be provided twice")


def session_not_found(description: str) -> OIDCError:
    return OIDCError("invalid_request", description, code="session.not_found", redirectable=False)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names in quotes, as the engine lists them."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return f" {last} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {last} {quoted[-1]}"

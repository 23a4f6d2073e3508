"""Why the service refuses something. Each error has a sentence for the user."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.pages.refusals import Refusal

__all__ = [
    "ApiKeyError",
    "ApiKeyGone",
    "ClientRefused",
    "ExpiryNotAllowed",
    "InvalidKeyName",
    "KeyNameTaken",
    "ProofRequired",
    "SessionRequired",
    "TooManyApiKeys",
]


class ApiKeyError(Refusal):
    """The service refuses what the user asked for. The text of the exception is for the log."""


class InvalidKeyName(ApiKeyError):
    """The name is empty, too long, or has control characters."""

    field = "name"
    code = "invalid_name"
    status = 400

    def __init__(self, message: str, *, visitor_message: str | Promise) -> None:
        super().__init__(message)
        self.visitor_message = visitor_message


class KeyNameTaken(ApiKeyError):
    """The user has another key with this name."""

    field = "name"
    code = "name_taken"
    status = 409
    visitor_message = _(
        "You already have an API key with this name. Choose another name. If you have lost that key, revoke it."
    )


class ExpiryNotAllowed(ApiKeyError):
    """The key would have expired already, or it would be valid for longer than the site allows."""

    field = "expires_at"
    code = "expiry_not_allowed"
    status = 400

    def __init__(self, message: str, *, visitor_message: str | Promise) -> None:
        super().__init__(message)
        self.visitor_message = visitor_message


class TooManyApiKeys(ApiKeyError):
    """The user has as many keys as the site allows."""

    code = "too_many_api_keys"
    status = 409
    visitor_message = _("You have as many API keys as this site allows. Revoke one that you no longer need.")


class ApiKeyGone(ApiKeyError):
    """The user has no key with this id: it was revoked."""

    code = "api_key_gone"
    status = 404
    visitor_message = _("There is no such API key. It may have been revoked already.")


class ClientRefused(ApiKeyError):
    """A machine-to-machine application, a third-party application and an API key cannot manage API keys."""

    code = "client_refused"
    status = 403
    visitor_message = _("This application cannot manage API keys.")


class SessionRequired(ApiKeyError):
    """The request has an access token, and only a session can make a key."""

    code = "session_required"
    status = 403
    visitor_message: str | Promise = _("An application cannot make an API key. Sign in on the site to make one.")


class ProofRequired(ApiKeyError):
    """The user has to prove who they are: by the security verification, or by a new sign-in."""

    code = "proof_required"
    status = 401
    visitor_message = _("Please confirm that it is you, and try again.")

"""What a feature for users refuses: an error with a sentence for the user, which pages and endpoints show."""

from __future__ import annotations

from django.utils.functional import Promise

from logto_auth.oidc.errors import LogtoError

__all__ = ["Refusal"]


class Refusal(LogtoError):
    """A feature refuses what the user asked for. The text of the exception is for the log."""

    visitor_message: str | Promise = ""
    """What the user reads."""
    field = ""
    """The field of a form that the error is about."""

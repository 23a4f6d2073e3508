"""From the claims of a Logto user to a row in Django's user table."""

from .claims import user_fields

__all__ = ["user_fields"]

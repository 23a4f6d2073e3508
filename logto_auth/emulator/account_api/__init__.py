"""Logto's Account API and Verification API: a user changes the own account, by an opaque access token.

Source: recorded from Logto 1.42.
"""

# Importing these modules registers their routes.
from . import profile, verifications  # noqa: F401
from .routing import PREFIXES, blueprint

__all__ = ["PREFIXES", "blueprint"]

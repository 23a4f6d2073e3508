"""Logto's Account API and Verification API: a user changes the own account, by an opaque access token.

Source: recorded from Logto 1.42.
"""

# Importing these modules registers their routes.
from . import addresses, avatar, identities, password, profile, sessions, verifications  # noqa: F401
from .routing import PREFIXES, blueprint, uploads

__all__ = ["PREFIXES", "blueprint", "uploads"]

"""Logto's Account API and Verification API: a user changes the own account, by an opaque access token.

Source: recorded from Logto 1.42.
"""

# Importing these modules registers their routes.
from . import factors, mfa_settings, passkeys, profile, verifications  # noqa: F401
from .passkeys import well_known
from .routing import PREFIXES, blueprint

__all__ = ["PREFIXES", "blueprint", "well_known"]

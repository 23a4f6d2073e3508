"""Logto's Account API and Verification API: a user changes the own account, by an opaque access token.

Source: recorded from Logto 1.42.
"""

# Importing these modules registers their routes.
from . import (  # noqa: F401
    addresses,
    avatar,
    factors,
    identities,
    mfa_settings,
    passkeys,
    password,
    profile,
    sessions,
    verifications,
)
from .passkeys import well_known
from .routing import PREFIXES, allow_upload, blueprint, uploads

__all__ = ["PREFIXES", "allow_upload", "blueprint", "uploads", "well_known"]

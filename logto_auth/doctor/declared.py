"""What the site declares of its tenant, for examinations that need a part of it."""

from __future__ import annotations

from logto_auth.exceptions import ConfigurationError
from logto_auth.tenant import TenantDeclaration
from logto_auth.tenant.site import load_declaration

__all__ = ["readable_declaration"]


def readable_declaration() -> TenantDeclaration:
    """Return the declaration of the site; an empty one if it cannot be loaded, which another examination reports."""
    try:
        return load_declaration()
    except ConfigurationError:
        return TenantDeclaration()

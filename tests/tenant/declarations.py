"""Fields of a declaration with one API resource or role, for tests that vary it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from logto_auth.tenant import APIResource, OrganizationRole, Role

API = "https://shop.example/api"


def resource(**changes: Any) -> dict[str, Any]:
    return {"resources": [replace(APIResource(API), **changes)]}


def role(**changes: Any) -> dict[str, Any]:
    return {"roles": [replace(Role("clerk", "Sells"), **changes)]}


def organization_role(**changes: Any) -> dict[str, Any]:
    return {"organization_roles": [replace(OrganizationRole("clerk"), **changes)]}

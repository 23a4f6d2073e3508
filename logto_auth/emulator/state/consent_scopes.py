"""What users may give to a client of others. Logto calls it user consent scopes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class ConsentScopes:
    """What a third-party application may ask users for, or a dynamic client. Permissions of APIs are by indicator.

    `resource_scopes` count for the roles of the user, and `organization_resource_scopes` for the roles that the user
    has in an organization which the user chose at the consent.
    """

    user_scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    organization_scopes: Sequence[str] = ()
    organization_resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)

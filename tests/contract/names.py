"""The names and ids of the tenants that were recorded."""

from __future__ import annotations

from dataclasses import dataclass

_ORGANIZATION_SCOPES = "urn:logto:scope:organizations urn:logto:scope:organization_roles"


@dataclass(frozen=True)
class Names:
    """The application and the API; `prefix` begins the names of users, roles and organization permissions.

    `scope` is that of the session in which `refresh_1` was recorded.
    """

    client_id: str
    api: str
    prefix: str
    scope: str

    def of(self, name: str) -> str:
        return f"{self.prefix}{name}"


NAMES = {
    "1.41": Names(
        "91yvke02jg9awi4ce01nk",
        "https://bookstore.example/api",
        "",
        f"openid profile {_ORGANIZATION_SCOPES} email offline_access roles",
    ),
    "1.42": Names(
        "uqeq71fmjtp6sqdh4s8ic",
        "https://r3-bookstore.example/api",
        "r3",
        f"openid profile email offline_access roles {_ORGANIZATION_SCOPES}",
    ),
}
NAMES["head"] = NAMES["1.42"]

"""Enterprise connectors, and the providers that Logto offers for them.

No user of the emulator signs in with one. Organizations link them, and they can keep users with their domains from
other ways of signing in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids

SsoProviderType = Literal["oidc", "saml"]

# Logto refuses these as domains of a connector. Source: tried with Logto 1.42.
PUBLIC_DOMAINS = frozenset(
    {
        "gmail.com",
        "yahoo.com",
        "hotmail.com",
        "outlook.com",
        "live.com",
        "icloud.com",
        "aol.com",
        "yandex.com",
        "mail.com",
        "protonmail.com",
        "yanex.com",
        "gmx.com",
        "mail.ru",
        "zoho.com",
        "qq.com",
        "163.com",
        "126.com",
        "sina.com",
        "sohu.com",
    }
)


@dataclass(frozen=True)
class SsoProvider:
    """A kind of identity provider. `issuer` is set if it is the same for all connectors."""

    provider_name: str
    type: SsoProviderType
    name: str
    description: str
    issuer: str = ""


PROVIDERS = {
    provider.provider_name: provider
    for provider in (
        SsoProvider("OIDC", "oidc", "OIDC", "Any provider of OpenID Connect."),
        SsoProvider("SAML", "saml", "SAML", "Any SAML identity provider."),
        SsoProvider("AzureAD", "saml", "Microsoft Entra ID (SAML)", "Microsoft's identity provider, by SAML."),
        SsoProvider("AzureAdOidc", "oidc", "Microsoft Entra ID (OIDC)", "Microsoft's identity provider, by OIDC."),
        SsoProvider(
            "GoogleWorkspace",
            "oidc",
            "Google Workspace",
            "Accounts of a Google Workspace.",
            issuer="https://accounts.google.com",
        ),
        SsoProvider("Okta", "oidc", "Okta", "Okta's identity provider."),
    )
}


@dataclass
class SsoConnector:
    """An enterprise connector of the tenant. `fetched` has the metadata of an OIDC provider."""

    provider: SsoProvider
    connector_name: str
    created_at: int
    domains: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    branding: dict[str, Any] = field(default_factory=dict)
    sync_profile: bool = False
    fetched: Mapping[str, Any] | None = field(default=None, repr=False)
    id: str = field(default_factory=ids.short_id)

    def is_for(self, email: str) -> bool:
        """Return whether users with this e-mail sign in with the connector, once it has a config."""
        return bool(self.config) and email.partition("@")[2].lower() in self.domains

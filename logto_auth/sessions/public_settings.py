"""The public settings of Logto for pages of signed-in users: no page waits for a Logto that does not respond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logto_auth import clients

from .outage import contact

if TYPE_CHECKING:
    from logto_auth.account_api.types import AccountCenter, SignInExperience

__all__ = ["account_center", "sign_in_experience"]


def account_center() -> AccountCenter:
    """Return what `clients.account_center` does. Raise ProviderUnreachable at once during an outage of Logto."""
    known = clients.known_account_center()
    if known is not None:
        return known
    with contact():
        return clients.account_center()


def sign_in_experience() -> SignInExperience:
    """Return what `clients.sign_in_experience` does. Raise ProviderUnreachable at once during an outage of Logto."""
    if clients.is_sign_in_experience_known():
        return clients.sign_in_experience()
    with contact():
        return clients.sign_in_experience()

"""One-time tokens: links that sign in whoever holds them, perhaps into organizations (logto.md, 7.14 and 10.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .records import OneTimeToken, User, unique
from .sign_in_rules import SignInRefused, check_not_suspended
from .tenant import Tenant


def check_one_time_token(tenant: Tenant, value: str, email: str) -> OneTimeToken:
    """Return an active token of this address, or raise SignInRefused. The faults come in Logto's order."""
    token = tenant.find_one_time_token(value)
    if token is None:
        raise SignInRefused("one_time_token.token_not_found", "This link is unknown.", status=404)
    if token.email != email:
        raise SignInRefused("one_time_token.email_mismatch", "This link is for another address.", status=400)
    is_over = token.expires_at <= tenant.clock.now_ms()
    if is_over and token.status == "active":
        token.status = "expired"
    if is_over or token.status == "expired":
        raise SignInRefused("one_time_token.token_expired", "This link has expired.", status=400)
    if token.status != "active":
        raise SignInRefused(f"one_time_token.token_{token.status}", f"This link has been {token.status}.", status=400)
    return token


@dataclass(frozen=True)
class Redeemed:
    """Whom a token signs in, and the ids of the organizations joined by that."""

    user: User
    is_new: bool
    joined: list[str]


def redeem_one_time_token(tenant: Tenant, value: str, email: str) -> Redeemed:
    """Use the token up and return its user, who is now a member of its organizations.

    A new address makes a new user, even where registration is closed: whoever hands out the link has let them in.
    """
    with tenant.lock:
        token = check_one_time_token(tenant, value, email)
        token.status = "consumed"
        found = _find_user(tenant, email)
        user = found or tenant.add_user(primary_email=email)
        check_not_suspended(user)
        by_domain = [] if found else _organizations_of_domain(tenant, email)
        joined = _join(tenant, user, [*by_domain, *token.jit_organization_ids])
    return Redeemed(user, found is None, joined)


def _find_user(tenant: Tenant, email: str) -> User | None:
    """Return the user with this address, whatever its case."""
    wanted = email.lower()
    return next((user for user in tenant.users.values() if (user.primary_email or "").lower() == wanted), None)


def _organizations_of_domain(tenant: Tenant, email: str) -> list[str]:
    """Return the ids of the organizations that new users with this address join just in time."""
    domain = email.partition("@")[2]
    return [each.id for each in tenant.organizations.values() if domain in each.jit_email_domains]


def _join(tenant: Tenant, user: User, organization_ids: Iterable[str]) -> list[str]:
    """Make the user a member with the just-in-time roles, and return where that is new.

    Who is one already keeps the roles held and gets these.
    """
    joined = []
    for organization_id in organization_ids:
        organization = tenant.organizations[organization_id]
        joined += [organization_id] if user.id not in organization.members else []
        held = organization.members.get(user.id, [])
        organization.members[user.id] = unique([*held, *organization.jit_roles])
    return joined

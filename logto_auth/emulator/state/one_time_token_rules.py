"""Checking and redeeming one-time tokens, which sign a user in by a link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .records import OneTimeToken, User, unique
from .sign_in_rules import SignInRefused, check_not_suspended
from .tenant import Tenant


def check_one_time_token(tenant: Tenant, value: str, email: str) -> OneTimeToken:
    """Return the active token for this e-mail, or raise SignInRefused. The checks are in Logto's order."""
    token = tenant.find_one_time_token(value)
    if token is None:
        raise SignInRefused("one_time_token.token_not_found", "This link is unknown.", status=404)
    if token.email != email:
        raise SignInRefused("one_time_token.email_mismatch", "This link is for another e-mail address.", status=400)
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
    """The user whom a token signed in, and the ids of the organizations that the user joined."""

    user: User
    is_new: bool
    joined: list[str]


def redeem_one_time_token(tenant: Tenant, value: str, email: str) -> Redeemed:
    """Consume the token, and return its user as a member of its organizations. Raise SignInRefused.

    An unknown e-mail creates a user, even if registration is closed: the token itself is the invitation.
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
    """Return the user with this e-mail, compared without case."""
    wanted = email.lower()
    return next((user for user in tenant.users.values() if (user.primary_email or "").lower() == wanted), None)


def _organizations_of_domain(tenant: Tenant, email: str) -> list[str]:
    """Return the ids of the organizations that a new user with this e-mail joins just in time."""
    domain = email.partition("@")[2]
    return [each.id for each in tenant.organizations.values() if domain in each.jit_email_domains]


def _join(tenant: Tenant, user: User, organization_ids: Iterable[str]) -> list[str]:
    """Add the user to the organizations with their just-in-time roles, and return the ids of those that are new.

    An existing member keeps the roles held before.
    """
    joined = []
    for organization_id in organization_ids:
        organization = tenant.organizations[organization_id]
        joined += [organization_id] if user.id not in organization.members else []
        held = organization.members.get(user.id, [])
        organization.members[user.id] = unique([*held, *organization.jit_roles])
    return joined

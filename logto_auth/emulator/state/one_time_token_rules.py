"""Checking and redeeming one-time tokens, which sign a user in by a link."""

from __future__ import annotations

from .account_rules import check_new_email
from .records import OneTimeToken
from .refusals import Refused
from .sign_in_rules import SignInRefused, check_enterprise_domain, check_not_suspended
from .tenant import Tenant
from .verified_users import NewUser, ReturningUser, VerifiedUser


def check_one_time_token(tenant: Tenant, value: str, email: str, *, event: str = "") -> OneTimeToken:
    """Return the active token for this e-mail, or raise SignInRefused. The checks are in Logto's order.

    `event` is the interaction in which the token is used. A token may be limited to another one.
    """
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
    if event and token.context.get("interactionEvent", event) != event:
        raise SignInRefused(
            "one_time_token.interaction_event_mismatch", "This link is for another purpose.", status=400
        )
    return token


def redeem_one_time_token(tenant: Tenant, value: str, email: str) -> VerifiedUser:
    """Consume the token and return its user, who may be new.

    An unknown e-mail is a new user, even if registration is closed: the token itself is the invitation. The token is
    consumed even if the user does not fill in what sign-up requires, or is refused. Raise SignInRefused.
    """
    with tenant.lock:
        # Logto's page begins with a sign-in, also for a new user.
        token = check_one_time_token(tenant, value, email, event="SignIn")
        token.status = "consumed"
        organization_ids = [each for each in token.jit_organization_ids if each in tenant.organizations]
        user = tenant.find_user(primary_email=email)
        if user is None:
            _check_new_email(tenant, email)
            by_domain = _organizations_of_domain(tenant, email)
            return NewUser({"primary_email": email}, [*by_domain, *organization_ids])
        check_not_suspended(user)
        return ReturningUser(user, organization_ids)


def _check_new_email(tenant: Tenant, email: str) -> None:
    check_enterprise_domain(tenant, email)
    try:
        check_new_email(tenant.sign_in_experience.settings["emailBlocklistPolicy"], email)
    except Refused as refused:
        raise SignInRefused(refused.code, "This e-mail address is not accepted.", status=refused.status) from None


def _organizations_of_domain(tenant: Tenant, email: str) -> list[str]:
    """Return the ids of the organizations that a new user with this e-mail joins just in time."""
    domain = email.partition("@")[2]
    return [each.id for each in tenant.organizations.values() if domain in each.jit_email_domains]

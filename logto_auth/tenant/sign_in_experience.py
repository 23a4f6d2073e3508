"""The part of a plan about Logto's sign-in experience, which all applications of a tenant share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from logto_auth.management_api import ManagementAPI

from .declaration import TenantDeclaration
from .mfa import mfa_step
from .password_policy import password_policy_step
from .steps import Step, change_step, value_difference

__all__ = ["sign_in_experience_steps"]

UNKNOWN_SESSION: Final = "unknownSessionRedirectUrl"
# The label in the Logto Console.
LABEL = "unknown session redirect URL"


def sign_in_experience_steps(api: ManagementAPI, declaration: TenantDeclaration) -> Iterator[Step]:
    """Yield the steps that set the declared values, if there are any.

    Raise ConfigurationError if the declared password policy, or MFA, does not fit the tenant.
    """
    url, policy, mfa = declaration.unknown_session_redirect_url, declaration.password_policy, declaration.mfa
    if not url and policy is None and mfa is None:
        return
    stored = api.sign_in_experience.get()
    if url:
        difference = value_difference(LABEL, stored.get(UNKNOWN_SESSION) or "", url)
        name = "of all applications of the tenant"
        yield change_step(
            "sign-in experience", name, [difference], lambda: api.sign_in_experience.update({UNKNOWN_SESSION: url})
        )
    if policy is not None:
        yield password_policy_step(api, policy, stored["passwordPolicy"])
    if mfa is not None:
        yield mfa_step(api, mfa, stored)

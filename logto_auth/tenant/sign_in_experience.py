"""The part of a plan about Logto's sign-in experience, which all applications of a tenant share."""

from __future__ import annotations

from collections.abc import Iterator

from logto_auth.management_api import ManagementAPI

from .declaration import TenantDeclaration
from .steps import Step, change_step, value_difference

__all__ = ["sign_in_experience_steps"]

UNKNOWN_SESSION = "unknownSessionRedirectUrl"
# The label in the Logto Console.
LABEL = "unknown session redirect URL"


def sign_in_experience_steps(api: ManagementAPI, declaration: TenantDeclaration) -> Iterator[Step]:
    """Yield the step that sets the declared values, if there are any."""
    if url := declaration.unknown_session_redirect_url:
        stored = api.sign_in_experience.get().get(UNKNOWN_SESSION)
        difference = value_difference(LABEL, stored or "", url)
        name = "of all applications of the tenant"
        yield change_step(
            "sign-in experience", name, [difference], lambda: api.sign_in_experience.update({UNKNOWN_SESSION: url})
        )

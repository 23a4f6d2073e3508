"""The part of a plan about the script for custom claims, with which access tokens say how the user signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.authentication_methods import CLAIM

from .application import DeclaredApplication
from .claims_script import CALL, VERSION, merged_script, version_in
from .claims_trial import ACCESS_TOKEN, ScriptFailed, Trial
from .declaration import TenantDeclaration
from .steps import Difference, Step, change_step, creation_step

if TYPE_CHECKING:
    from logto_auth.management_api.types import JwtCustomizer

__all__ = ["claims_step", "claims_trial", "stored_script"]

KIND: Final = "script for custom claims"
NAME: Final = "of all access tokens of the tenant"
BLOCK: Final = f"block {CLAIM}"
# What the made-up token has as long as the site has no application, and no API resource.
MADE_UP_APPLICATION = "made-up"
MADE_UP_RESOURCE = "https://made-up.example/api"


def claims_step(api: ManagementAPI, declaration: TenantDeclaration, application: DeclaredApplication) -> Step:
    """Return the step that installs our block in the script.

    Raise ConfigurationError if the tenant has a script into which the block does not fit, or if Logto tries the result
    and it does not return the claim. Raise ManagementAPIError.
    """

    def send() -> None:
        # Read and try the current script again, because another team may have changed it since the plan was made.
        trial = claims_trial(api, declaration, application.id)
        script = _tried_script(trial)
        if trial.stored is None:
            api.jwt_customizers.set(ACCESS_TOKEN, {"script": script})
        else:
            api.jwt_customizers.update(ACCESS_TOKEN, {"script": script})

    trial = claims_trial(api, declaration, application.id)
    script = _tried_script(trial)
    if trial.stored is None:
        return creation_step(KIND, NAME, {BLOCK: f"version {VERSION}"}, send)
    before = trial.stored["script"]
    if script == before:
        return change_step(KIND, NAME, [], send)
    version = version_in(before)
    old = None if version is None else f"version {version}{', edited' if version == VERSION else ''}"
    return change_step(KIND, NAME, [Difference(BLOCK, old, f"version {VERSION}")], send)


def stored_script(api: ManagementAPI) -> JwtCustomizer | None:
    """Return the script of the tenant with its settings, or None. Raise ManagementAPIError."""
    try:
        return api.jwt_customizers.get(ACCESS_TOKEN)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        return None


def claims_trial(api: ManagementAPI, declaration: TenantDeclaration, application_id: str | None) -> Trial:
    """Return the trial of scripts in a tenant, for tokens of this site. Raise ManagementAPIError."""
    resource = next((each.indicator for each in declaration.resources), MADE_UP_RESOURCE)
    return Trial(
        api,
        stored_script(api),
        application_id=application_id or MADE_UP_APPLICATION,
        api_resource=declaration.api_resource or resource,
    )


def _tried_script(trial: Trial) -> str:
    """Return the script to store. Raise ConfigurationError unless Logto has tried it, and it returns the claim."""
    before = trial.stored["script"] if trial.stored else ""
    after = merged_script(before)
    if errors := list(trial.errors(after)):
        raise ConfigurationError(
            "\n".join(
                [
                    f"The {KIND} {NAME} would not return the claim {CLAIM} as it should. Logto tried it with made-up "
                    "sign-ins, and nothing was stored.",
                    *errors,
                    f"Add {CALL} at the end of the object that getCustomJwtClaims returns, for all users and "
                    "applications. The script gets the sample data that the tenant has for it, on the page Custom JWT "
                    "of the Logto Console: if it needs other data, add that there.",
                ]
            )
        )
    if after == before or not before.strip():
        return after
    try:
        lost = trial.lost_claims(before, after)
    except ScriptFailed as error:
        raise ConfigurationError(f"The {KIND} {NAME} cannot be compared with the present one: {error}.") from error
    if lost:
        raise ConfigurationError(
            f"With the new block, the {KIND} {NAME} would return other values for {', '.join(map(repr, lost))}. Logto "
            "tried both with made-up sign-ins, and nothing was stored. Keep everything that is not of logto_auth "
            "outside of its block."
        )
    return after

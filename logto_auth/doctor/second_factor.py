"""Examine what this site needs of Logto to know by which methods a user has signed in: the script, and MFA."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant.claims import claims_trial
from logto_auth.tenant.claims_script import CALL, VERSION, merged_script, misfit, version_in
from logto_auth.tenant.claims_trial import BACKUP_CODE, SIGN_INS, Trial
from logto_auth.tenant.declaration import TenantDeclaration
from logto_auth.tenant.mfa import CODE_FACTORS, MANDATORY, lets_users_skip

from .account import published
from .findings import Finding, failure, findings_or_ok, warning

if TYPE_CHECKING:
    from logto_auth.management_api.types import Mfa

__all__ = ["examine", "script_findings", "tenant_findings"]

LONG_SECONDS = 24 * 3600
SETUP = "manage.py logto_setup"
DECLARE_MFA = (
    f"Declare mfa in LOGTO_TENANT and run {SETUP}, or change it in the Logto Console, on the page Multi-factor"
)
UNKNOWN_METHODS = "so no view that requires a second factor lets a user in"


def examine(http: HTTPClient, addresses: Addresses) -> Iterator[Finding]:
    """Yield the findings about MFA, which Logto publishes. Raise ProviderError if it does not."""
    if not conf.second_factor:
        return
    experience = published(http, addresses, "sign-in-exp")
    mfa: Mfa = experience["mfa"]
    if not mfa["factors"]:
        yield failure(
            "mfa",
            "MFA is off at Logto, so no user has a second factor that this site could require.",
            f"{DECLARE_MFA}.",
        )
        return
    doubts = _doubts(mfa["policy"], experience.get("adaptiveMfa") or {})
    text = f"The MFA policy is {mfa['policy']}, and users may have {', '.join(mfa['factors'])}."
    yield from findings_or_ok(doubts, "mfa", text)


def _doubts(policy: str, adaptive: dict[str, Any]) -> Iterator[Finding]:
    consequence = "A thief of a password can then use a factor of their own as proof, if the user has such a factor."
    if lets_users_skip(policy):
        yield warning(
            "mfa",
            f"The MFA policy is {policy}, so users may turn off that Logto asks for their factor. {consequence}",
            f"{DECLARE_MFA}: the policy {MANDATORY}.",
        )
    if adaptive.get("enabled"):
        yield warning(
            "mfa",
            f"Adaptive MFA is on, so Logto asks for a factor only if a sign-in seems unusual. {consequence} A user who "
            "is not asked cannot prove the factor.",
            "Turn adaptive MFA off in the Logto Console, on the page Multi-factor, if this site requires factors.",
        )


def tenant_findings(api: ManagementAPI) -> Iterator[Finding]:
    """Yield which codes Logto cannot send, and whether access tokens are valid for long. Raise ManagementAPIError."""
    if not conf.second_factor:
        return
    yield from _senders(api)
    yield from _lifetime(api)


def _senders(api: ManagementAPI) -> Iterator[Finding]:
    factors = api.sign_in_experience.get()["mfa"]["factors"]
    needed = {factor: type for factor, (_, type) in CODE_FACTORS.items() if factor in factors}
    if needed:
        types = {connector["type"] for connector in api.connectors.all()}
        for factor, type in needed.items():
            if type not in types:
                yield warning(
                    "mfa",
                    f"Users may have the factor {factor}, but Logto has no connector of the type {type}, so it cannot "
                    "send them a code.",
                    "Add the connector with manage.py logto_connectors, or remove the factor in the Logto Console.",
                )


def _lifetime(api: ManagementAPI) -> Iterator[Finding]:
    for resource in api.api_resources.all():
        seconds = resource["accessTokenTtl"]
        if resource["indicator"] == conf.api_resource and seconds > LONG_SECONDS:
            yield warning(
                "authentication-methods",
                f"Access tokens for {conf.api_resource} are valid for {seconds} seconds. An API accepts the methods in "
                "a token for so long, also after the user has signed out or lost the factor.",
                f"Declare access_token_ttl_seconds of this API resource in LOGTO_TENANT and run {SETUP}, or change it "
                "in the Logto Console.",
            )


# The script


def script_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield whether access tokens say how the user has signed in. Logto tries the script with made-up sign-ins."""
    if not (conf.second_factor or declared.authentication_methods_claim):
        return
    try:
        trial = claims_trial(api, declared, conf.app_id)
        yield from _script(trial, is_declared=declared.authentication_methods_claim)
    except ManagementAPIError as error:
        remedy = "Correct this. Logto Cloud has custom claims in some plans only."
        yield _finding(f"The script for custom claims could not be tried: {error}", remedy)


def _script(trial: Trial, *, is_declared: bool) -> Iterator[Finding]:
    install = "" if is_declared else "Declare authentication_methods_claim=True in LOGTO_TENANT. "
    script = trial.stored["script"] if trial.stored else ""
    if not script.strip():
        text = f"The tenant has no script for custom claims, {UNKNOWN_METHODS}."
        yield _finding(text, f"{install}Run {SETUP}.")
        return
    if reason := misfit(script):
        yield _finding(
            f"{reason} The claim is missing, {UNKNOWN_METHODS}.", f"{install}Run {SETUP}, which prints what to add."
        )
        return
    if errors := list(trial.errors(script)):
        yield _finding(
            f"Logto tried the script for custom claims with made-up sign-ins. {' '.join(errors)}",
            f"Run {SETUP}. If that does not help, add {CALL} at the end of the object that getCustomJwtClaims returns.",
        )
        return
    yield from findings_or_ok(
        _flaws(trial, script),
        "authentication-methods",
        f"The script for custom claims has the block of version {version_in(script)}. Logto tried it with "
        f"{len(SIGN_INS)} made-up sign-ins, and the claim was right.",
    )


def _flaws(trial: Trial, script: str) -> Iterator[Finding]:
    if merged_script(script) != script:
        yield warning(
            "authentication-methods",
            f"The block in the script for custom claims has the version {version_in(script)}, or was edited. This "
            f"release has the version {VERSION}.",
            f"Run {SETUP}.",
        )
    if BACKUP_CODE in json.dumps([trial.claims(script, sign_in) for sign_in in SIGN_INS]):
        yield warning(
            "authentication-methods",
            "The script for custom claims copies a used backup code into access tokens, outside of the block of "
            "logto_auth.",
            "Copy single values of context.interaction.verificationRecords, and not the records, in the Logto Console.",
        )


def _finding(message: str, remedy: str) -> Finding:
    """Return a failure, or a warning if nothing here needs the claim."""
    make = failure if conf.second_factor else warning
    return make("authentication-methods", message, remedy)

"""`/api/sign-in-exp`, and its public part."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import (
    anything,
    boolean,
    choice,
    integer,
    list_of,
    nullable,
    object_of,
    optional,
    or_empty,
    text,
    with_default,
)
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant

from .connectors import as_public_json
from .mfa_policy import adaptive_mfa_schema, check_mfa, mfa_schema
from .routing import public, route

_IDENTIFIERS = ("username", "email", "phone")

# Keys that the public part leaves out.
_HIDDEN = ["forgotPasswordMethods", "emailBlocklistPolicy"]

_address = optional(nullable(or_empty(text(url=True))))
_section = optional(anything)
_method = object_of(
    identifier=choice(*_IDENTIFIERS), password=boolean, verificationCode=boolean, isPasswordPrimary=boolean
)
# Logto adds the other keys of a part that is sent, and none to parts that are not sent.
_password_policy = object_of(
    length=optional(
        object_of(
            min=with_default(integer(at_least=1), 8),
            max=with_default(integer(at_least=1), 256),
        )
    ),
    characterTypes=optional(object_of(min=with_default(integer(at_least=1, at_most=4), 1))),
    rejects=optional(
        object_of(
            pwned=with_default(boolean, True),
            repetitionAndSequence=with_default(boolean, True),
            userInfo=with_default(boolean, True),
            words=with_default(list_of(text()), []),
        )
    ),
)
_changes = object_of(
    color=_section,
    branding=_section,
    hideLogtoBranding=optional(boolean),
    languageInfo=_section,
    termsOfUseUrl=_address,
    privacyPolicyUrl=_address,
    agreeToTermsPolicy=optional(choice("Automatic", "ManualRegistrationOnly", "Manual")),
    signIn=optional(object_of(methods=list_of(_method))),
    signUp=optional(
        object_of(
            identifiers=list_of(choice(*_IDENTIFIERS)),
            password=boolean,
            verify=boolean,
            secondaryIdentifiers=optional(list_of(anything)),
        )
    ),
    socialSignIn=_section,
    socialSignInConnectorTargets=optional(list_of(text())),
    signInMode=optional(choice("SignIn", "Register", "SignInAndRegister")),
    customCss=optional(nullable(text())),
    customContent=_section,
    customUiAssets=optional(nullable(anything)),
    customUiCsp=_section,
    passwordPolicy=optional(_password_policy),
    mfa=optional(mfa_schema),
    adaptiveMfa=optional(adaptive_mfa_schema),
    singleSignOnEnabled=optional(boolean),
    supportEmail=optional(nullable(or_empty(text(pattern=r"^\S+@\S+\.\S+$")))),
    supportWebsiteUrl=_address,
    unknownSessionRedirectUrl=_address,
    captchaPolicy=_section,
    sentinelPolicy=_section,
    emailBlocklistPolicy=_section,
    verificationCodePolicy=_section,
    forgotPasswordMethods=optional(nullable(list_of(text()))),
    passkeySignIn=_section,
    signUpProfileFields=optional(nullable(list_of(anything))),
    passwordExpiration=_section,
    usernamePolicy=_section,
)


@route("GET", "/sign-in-exp")
def show_sign_in_experience(tenant: Tenant) -> dict[str, Any]:
    return tenant.sign_in_experience.settings


@route("PATCH", "/sign-in-exp")
def change_sign_in_experience(tenant: Tenant) -> dict[str, Any]:
    """Replace the given sections. Connector targets without a connector are dropped without an error."""
    given, experience = body(_changes), tenant.sign_in_experience
    if "socialSignInConnectorTargets" in given:
        known = {connector.target for connector in experience.social_connectors}
        given["socialSignInConnectorTargets"] = [
            target for target in given["socialSignInConnectorTargets"] if target in known
        ]
    if {"signIn", "signUp"} & given.keys():
        wanted = {**experience.settings, **given}
        _check_sign_in_methods(wanted["signIn"]["methods"], wanted["signUp"])
    check_mfa(given, experience.settings)
    experience.settings.update(given)
    return experience.settings


@public.get("/.well-known/experience")
@public.get("/.well-known/sign-in-exp")
def show_public_sign_in_experience() -> Response:
    """Return the settings that the sign-in page needs, with all enabled connectors, including native ones."""
    tenant = current().tenant
    experience = tenant.sign_in_experience
    hidden = {"forgotPasswordMethods"} | (
        set() if tenant.version.email_blocklist_is_public else {"emailBlocklistPolicy"}
    )
    settings = {name: value for name, value in experience.settings.items() if name not in hidden}
    return json_response(
        {
            **settings,
            "socialConnectors": [as_public_json(connector) for connector in experience.enabled_connectors],
            "ssoConnectors": [],
            "forgotPassword": {"phone": False, "email": False},
            "isDevelopmentTenant": False,
            "customProfileFields": [],
            "customProfileFieldCatalog": [],
        }
    )


def _check_sign_in_methods(methods: list[dict[str, Any]], sign_up: dict[str, Any]) -> None:
    """Raise APIError for methods that the emulator cannot offer. Its pages have no verification codes."""
    if any(method["verificationCode"] for method in methods) or {"email", "phone"} & set(sign_up["identifiers"]):
        raise APIError("sign_in_experiences.enabled_connector_not_found", 400)
    if "username" in sign_up["identifiers"] and not sign_up["password"]:
        raise APIError("sign_in_experiences.username_requires_password", 400)
    if set(sign_up["identifiers"]) - {method["identifier"] for method in methods}:
        raise APIError("sign_in_experiences.miss_sign_up_identifier_in_sign_in", 400)

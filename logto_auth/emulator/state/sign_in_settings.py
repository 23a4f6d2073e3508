"""The sign-in experience: what the sign-in pages offer, stored as one JSON object as in Logto."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from .json_columns import JsonKey
from .social_connectors import Connector, stand_in

MfaPolicy = Literal[
    "UserControlled",
    "Mandatory",
    "PromptOnlyAtSignIn",
    "PromptAtSignInAndSignUp",
    "NoPrompt",
    "PromptAtSignInAndSignUpMandatory",
    "PromptOnlyAtSignInMandatory",
]


class SignInExperience:
    """`settings` is the object of `/api/sign-in-exp`; `connector_instances` are the connectors of the tenant by id."""

    sign_in_mode = JsonKey[Literal["SignIn", "Register", "SignInAndRegister"]](
        "settings", "signInMode", "SignInAndRegister"
    )
    targets = JsonKey[list[str]]("settings", "socialSignInConnectorTargets", [])
    unknown_session_redirect_url = JsonKey[str | None]("settings", "unknownSessionRedirectUrl", None)

    def __init__(self) -> None:
        self.settings = _default_settings()
        self.connector_instances: dict[str, Connector] = {}

    @property
    def connectors(self) -> list[str]:
        """The factory ids of the enabled social connectors, such as `alipay-web`. Setting it replaces all of them."""
        return [connector.factory.id for connector in self.enabled_connectors]

    @connectors.setter
    def connectors(self, factory_ids: Iterable[str]) -> None:
        made = [stand_in(factory_id) for factory_id in factory_ids]
        others = [each for each in self.connector_instances.values() if each.factory.type != "Social"]
        self.connector_instances = {connector.id: connector for connector in [*made, *others]}
        self.targets = list(dict.fromkeys(connector.target for connector in made))

    @property
    def social_connectors(self) -> list[Connector]:
        """The connectors for signing in, enabled or not."""
        return [each for each in self.connector_instances.values() if each.factory.type == "Social"]

    @property
    def enabled_connectors(self) -> list[Connector]:
        """The connectors whose target is enabled, in the order of the targets."""
        enabled = [each for each in self.social_connectors if each.target in self.targets]
        return sorted(enabled, key=lambda connector: self.targets.index(connector.target))

    @property
    def takes_passwords(self) -> bool:
        """Whether users may sign in with a password. Without any method only social sign-in remains."""
        return any(method["password"] for method in self.settings["signIn"]["methods"])

    @property
    def can_register(self) -> bool:
        return self.sign_in_mode != "SignIn"

    @property
    def sign_up_identifiers(self) -> list[str]:
        """The identifiers that sign-up requires: `["username"]`, as in a new Logto tenant, or none.

        A username requires a password too. Setting the identifiers sets that.
        """
        return list(self.settings["signUp"]["identifiers"])

    @sign_up_identifiers.setter
    def sign_up_identifiers(self, identifiers: Iterable[str]) -> None:
        wanted = list(identifiers)
        self.settings["signUp"] = {"identifiers": wanted, "password": "username" in wanted, "verify": False}

    @property
    def can_register_with_username(self) -> bool:
        return self.can_register and "username" in self.sign_up_identifiers

    @property
    def mfa_factors(self) -> list[str]:
        """The types of second factors that users may have, such as `Totp`."""
        return list(self.settings["mfa"].get("factors", []))

    @mfa_factors.setter
    def mfa_factors(self, factors: Iterable[str]) -> None:
        self.settings["mfa"] = {**self.settings["mfa"], "factors": list(factors)}

    @property
    def mfa_policy(self) -> str:
        """Whether users must have a second factor, or are asked to set one up, such as `Mandatory` or `NoPrompt`."""
        return str(self.settings["mfa"].get("policy", "UserControlled"))

    @mfa_policy.setter
    def mfa_policy(self, policy: MfaPolicy) -> None:
        self.settings["mfa"] = {**self.settings["mfa"], "policy": policy}

    @property
    def organization_mfa_policy(self) -> str:
        """`Mandatory`: members of an organization that requires MFA must set up a second factor. Else `NoPrompt`."""
        return str(self.settings["mfa"].get("organizationRequiredMfaPolicy", "NoPrompt"))

    @organization_mfa_policy.setter
    def organization_mfa_policy(self, policy: Literal["NoPrompt", "Mandatory"]) -> None:
        self.settings["mfa"] = {**self.settings["mfa"], "organizationRequiredMfaPolicy": policy}

    @property
    def has_passkey_sign_in(self) -> bool:
        """Whether users may sign in with a passkey alone."""
        return bool(self.settings["passkeySignIn"].get("enabled"))

    @property
    def min_password_length(self) -> int:
        return int(self.settings["passwordPolicy"].get("length", {}).get("min", 8))


def _default_settings() -> dict[str, Any]:
    """Return the settings of a new tenant, as recorded from Logto 1.41."""
    password = {"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True}
    return {
        "tenantId": "default",
        "id": "default",
        "color": {"primaryColor": "#6139F6", "isDarkModeEnabled": False, "darkPrimaryColor": "#8768F8"},
        "branding": {
            "logoUrl": "https://logto.io/logo.svg",
            "darkLogoUrl": "https://logto.io/logo-dark.svg",
        },
        "hideLogtoBranding": False,
        "languageInfo": {"autoDetect": True, "fallbackLanguage": "en"},
        "termsOfUseUrl": None,
        "privacyPolicyUrl": None,
        "agreeToTermsPolicy": "Automatic",
        "signIn": {"methods": [password]},
        "signUp": {"identifiers": ["username"], "password": True, "verify": False},
        "socialSignIn": {},
        "socialSignInConnectorTargets": [],
        "signInMode": "SignInAndRegister",
        "customCss": None,
        "customContent": {},
        "customUiAssets": None,
        "customUiCsp": {},
        "passwordPolicy": {},
        "mfa": {"factors": [], "policy": "UserControlled"},
        "adaptiveMfa": {},
        "singleSignOnEnabled": False,
        "supportEmail": None,
        "supportWebsiteUrl": None,
        "unknownSessionRedirectUrl": None,
        "captchaPolicy": {},
        "sentinelPolicy": {},
        "emailBlocklistPolicy": {},
        "verificationCodePolicy": {},
        "forgotPasswordMethods": [],
        "passkeySignIn": {},
        "signUpProfileFields": None,
        "passwordExpiration": {},
        "usernamePolicy": {
            "caseSensitive": True,
            "minLength": 1,
            "maxLength": 128,
            "allowedChars": {"lowercase": True, "uppercase": True, "numbers": True, "underscore": True},
        },
    }

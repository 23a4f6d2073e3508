"""What the Account API and the Verification API return.

The dictionaries have Logto's camelCase keys. A key that not every answer has is `NotRequired`; Logto may send keys
that are not here. Values of the account, of factors and of settings have the types that are named here: see `shapes`.
Those of sessions and grants are not checked, so that a session of a new shape can still be ended. Times are in
milliseconds since the epoch, or ISO 8601 where the type is `str`. The dataclasses hold secrets and times in seconds
since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from urllib.parse import quote, urlencode

from logto_auth.oidc.secrets import Secret

if TYPE_CHECKING:
    from typing_extensions import NotRequired

__all__ = [
    "Account",
    "AccountCenter",
    "AccountCenterFields",
    "AdaptiveMfa",
    "Address",
    "BackupCode",
    "Factor",
    "FieldPermission",
    "Grant",
    "GrantApplication",
    "GrantPayload",
    "GrantsOfApplications",
    "IdentifierKind",
    "Identity",
    "MfaPolicy",
    "MfaSettings",
    "PasskeyRegistration",
    "PasskeySignIn",
    "PasswordPolicy",
    "ProfileFields",
    "RevokedGrants",
    "Session",
    "SessionAuthorization",
    "SessionPayload",
    "SignInExperience",
    "SocialConnector",
    "SocialVerification",
    "TotpSecret",
    "VerificationRecord",
]

IdentifierKind = Literal["email", "phone"]
FieldPermission = Literal["Off", "ReadOnly", "Edit"]
RevokedGrants = Literal["firstParty", "all"]
GrantsOfApplications = Literal["all", "firstParty", "thirdParty"]


class Address(TypedDict, total=False):
    """The address in a profile. Source: OpenID Connect Core 1.0, section 5.1.1."""

    formatted: str
    streetAddress: str
    locality: str
    region: str
    postalCode: str
    country: str


class ProfileFields(TypedDict, total=False):
    """The profile beside name and avatar. Source: OpenID Connect Core 1.0, section 5.1."""

    familyName: str
    givenName: str
    middleName: str
    nickname: str
    preferredUsername: str
    profile: str
    website: str
    gender: str
    birthdate: str
    zoneinfo: str
    locale: str
    address: Address


class Identity(TypedDict):
    """A linked account of a social provider."""

    userId: str
    details: NotRequired[dict[str, Any]]


class Account(TypedDict):
    """A user's own account. Keys depend on the scopes of the token and on the fields of the account center."""

    id: str
    hasSecurityVerificationMethod: NotRequired[bool]
    username: NotRequired[str | None]
    primaryEmail: NotRequired[str | None]
    primaryPhone: NotRequired[str | None]
    name: NotRequired[str | None]
    avatar: NotRequired[str | None]
    customData: NotRequired[dict[str, Any]]
    identities: NotRequired[dict[str, Identity]]
    ssoIdentities: NotRequired[list[dict[str, Any]]]
    profile: NotRequired[ProfileFields]
    lastSignInAt: NotRequired[int | None]
    createdAt: NotRequired[int]
    updatedAt: NotRequired[int]
    applicationId: NotRequired[str | None]
    cimdClientId: NotRequired[str | None]
    isSuspended: NotRequired[bool]
    hasPassword: NotRequired[bool]


class Factor(TypedDict):
    """A second factor of the user. `name` and `agent` belong to passkeys, `remainCodes` to backup codes."""

    id: str
    createdAt: str
    type: Literal["Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode"]
    lastUsedAt: NotRequired[str]
    agent: NotRequired[str]
    name: NotRequired[str]
    remainCodes: NotRequired[int]


class BackupCode(TypedDict):
    """A backup code of the user. `usedAt` is missing if it can still be used."""

    code: str
    usedAt: NotRequired[str | None]


class MfaSettings(TypedDict):
    """Whether Logto asks for a second factor at sign-in, if its policy leaves that to the user."""

    skipMfaOnSignIn: bool


class SessionAuthorization(TypedDict):
    """What a session has authorized for one application. `sid` is the claim of the ID token."""

    sid: NotRequired[str]
    grantId: NotRequired[str]
    persistsLogout: NotRequired[bool]


class SessionPayload(TypedDict):
    """The session as Logto's OpenID provider stores it. `uid` is its id in the Account API. Times are in seconds."""

    exp: int
    iat: int
    jti: str
    uid: str
    kind: Literal["Session"]
    loginTs: NotRequired[int]
    accountId: NotRequired[str]
    authorizations: NotRequired[dict[str, SessionAuthorization]]


class Session(TypedDict):
    """A session of the user at Logto. `authorizations` of the payload has a key for each application (`client_id`)."""

    payload: SessionPayload
    lastSubmission: NotRequired[dict[str, Any] | None]
    clientId: NotRequired[str | None]
    accountId: NotRequired[str | None]
    expiresAt: int
    isCurrent: NotRequired[bool]


class GrantPayload(TypedDict):
    """What the user has granted to an application. Times are in seconds."""

    exp: int
    iat: int
    jti: str
    kind: Literal["Grant"]
    clientId: str
    accountId: str
    openid: NotRequired[dict[str, Any]]


class GrantApplication(TypedDict):
    """The application of a grant."""

    id: str
    name: str


class Grant(TypedDict):
    """A grant of the user to an application, with its refresh tokens."""

    id: str
    payload: GrantPayload
    expiresAt: int
    application: GrantApplication


class AccountCenterFields(TypedDict, total=False):
    """What users may do with each field of their account. A missing field is Off."""

    name: FieldPermission
    avatar: FieldPermission
    profile: FieldPermission
    email: FieldPermission
    phone: FieldPermission
    password: FieldPermission
    username: FieldPermission
    social: FieldPermission
    customData: FieldPermission
    mfa: FieldPermission
    passkey: FieldPermission
    session: FieldPermission


class AccountCenter(TypedDict):
    """The public settings of the account center."""

    enabled: bool
    fields: AccountCenterFields
    webauthnRelatedOrigins: NotRequired[list[str]]
    deleteAccountUrl: NotRequired[str | None]
    customCss: NotRequired[str | None]
    profileFields: NotRequired[list[dict[str, str]] | None]


class SocialConnector(TypedDict):
    """A connector of the sign-in page. `name` has the languages that the connector knows."""

    id: str
    target: str
    name: dict[str, str]
    logo: str
    logoDark: NotRequired[str | None]
    platform: NotRequired[Literal["Native", "Universal", "Web"] | None]


class PasswordLength(TypedDict, total=False):
    """How long a password has to be."""

    min: int
    max: int


class CharacterTypes(TypedDict, total=False):
    """How many kinds of characters a password needs."""

    min: int


class PasswordRejects(TypedDict, total=False):
    """What a password must not be."""

    pwned: bool
    repetitionAndSequence: bool
    userInfo: bool
    words: list[str]


class PasswordPolicy(TypedDict, total=False):
    """The rules for passwords."""

    length: PasswordLength
    characterTypes: CharacterTypes
    rejects: PasswordRejects


class MfaPolicy(TypedDict, total=False):
    """The second factors that users may add."""

    factors: list[str]
    policy: str


class AdaptiveMfa(TypedDict, total=False):
    """Whether Logto asks for a second factor only if a sign-in looks unusual."""

    enabled: bool


class PasskeySignIn(TypedDict, total=False):
    """Whether users may sign in with a passkey alone."""

    enabled: bool


class SignInExperience(TypedDict):
    """The public settings of the sign-in page that the account pages use."""

    socialConnectors: NotRequired[list[SocialConnector]]
    passwordPolicy: NotRequired[PasswordPolicy]
    usernamePolicy: NotRequired[dict[str, Any]]
    mfa: NotRequired[MfaPolicy]
    adaptiveMfa: NotRequired[AdaptiveMfa]
    passkeySignIn: NotRequired[PasskeySignIn]


@dataclass(frozen=True, kw_only=True)
class VerificationRecord:
    """A record of the Verification API: a proof, or one that a code still has to complete."""

    id: Secret
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class SocialVerification(VerificationRecord):
    """The begin of the proof that the user owns an account of a social provider."""

    authorization_uri: str = field(repr=False)
    """Where to send the browser."""


@dataclass(frozen=True, kw_only=True)
class PasskeyRegistration(VerificationRecord):
    """The begin of the registration of a passkey."""

    options: dict[str, Any] = field(repr=False)
    """The argument `publicKey` of `navigator.credentials.create()`, as JSON. Source: Web Authentication, Level 3."""


@dataclass(frozen=True)
class TotpSecret:
    """The secret of an authenticator app."""

    secret: Secret

    def uri(self, *, issuer: str, account_name: str) -> Secret:
        """Return the URI that an authenticator app reads from a QR code or a link.

        Source: the format of Google Authenticator, https://github.com/google/google-authenticator/wiki/Key-Uri-Format.
        """
        label = quote(f"{issuer}:{account_name}", safe="")
        query = urlencode({"secret": self.secret.reveal(), "issuer": issuer}, quote_via=quote)
        return Secret(f"otpauth://totp/{label}?{query}")

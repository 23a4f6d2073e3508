"""The types of what the Management API returns, and of what is sent to it.

`NewUser` is the payload that creates a `User`, and `UserChanges` the payload that changes one. Types of objects inside
others are here too, such as `OidcClientMetadata`. Times are in milliseconds since the epoch, lifetimes in seconds.

The types describe what Logto sends; the values are not checked. A key that not every answer has is `NotRequired`, and
Logto may send keys that are not here.

Generated from the OpenAPI document of Logto 1.42 by `make generate`, with datamodel-code-generator. Do not edit.
`tests/openapi` has the generator, and what recorded HTTP corrects in the document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from typing_extensions import NotRequired

__all__ = [
    "AccountCenter",
    "AccountCenterChanges",
    "AccountCenterFields",
    "Action",
    "ActionChanges",
    "AdaptiveMfa",
    "Address",
    "Application",
    "ApplicationChanges",
    "ApplicationIds",
    "ApplicationMember",
    "ApplicationSecret",
    "Branding",
    "CaptchaPolicy",
    "Color",
    "Connector",
    "ConnectorChanges",
    "ConnectorFactory",
    "ConnectorMetadata",
    "ConnectorTest",
    "CustomClientMetadata",
    "CustomDataChanges",
    "CustomUiAssets",
    "CustomUiCsp",
    "DynamicClientSettings",
    "DynamicClientSettingsChanges",
    "EmailBlocklistPolicy",
    "FeaturedApplication",
    "FeaturedUser",
    "FormItem",
    "Hook",
    "HookChanges",
    "HookConfig",
    "HookExecutionStats",
    "HookTest",
    "IdAndName",
    "Identity",
    "Invitation",
    "InvitationStatus",
    "JitEmailDomain",
    "JitEmailDomains",
    "JitRoles",
    "JitSsoConnector",
    "JitSsoConnectors",
    "JwtCustomizer",
    "JwtCustomizerChanges",
    "JwtCustomizerTest",
    "LanguageInfo",
    "Log",
    "LogPayload",
    "Member",
    "MessagePayload",
    "Mfa",
    "MoreOrganizationRolesOfMember",
    "NewAction",
    "NewApplication",
    "NewConnector",
    "NewHook",
    "NewInvitation",
    "NewJitEmailDomain",
    "NewOneTimeToken",
    "NewOrganization",
    "NewOrganizationRole",
    "NewOrganizationScope",
    "NewPersonalAccessToken",
    "NewResource",
    "NewRole",
    "NewScope",
    "NewSsoConnector",
    "NewSubjectToken",
    "NewUser",
    "NewUserConsentScopes",
    "OidcClientMetadata",
    "OneTimeToken",
    "OneTimeTokenContext",
    "Organization",
    "OrganizationChanges",
    "OrganizationOfMember",
    "OrganizationResourceScope",
    "OrganizationRole",
    "OrganizationRoleChanges",
    "OrganizationRolesOfApplication",
    "OrganizationRolesOfMember",
    "OrganizationScope",
    "OrganizationScopeChanges",
    "OrganizationScopeIds",
    "PasskeySignIn",
    "PasswordCharacterTypes",
    "PasswordExpiration",
    "PasswordLength",
    "PasswordPolicy",
    "PasswordRejects",
    "PersonalAccessToken",
    "PersonalAccessTokenChanges",
    "PersonalAccessTokenName",
    "PlainOrganizationRole",
    "Profile",
    "ProfileChanges",
    "Resource",
    "ResourceChanges",
    "ResourceScope",
    "Role",
    "RoleChanges",
    "Scope",
    "ScopeChanges",
    "ScopeIds",
    "SecondaryIdentifier",
    "SelectItem",
    "SentinelPolicy",
    "Session",
    "SessionAuthorization",
    "SessionPayload",
    "Sessions",
    "ShowCondition",
    "SignIn",
    "SignInExperience",
    "SignInExperienceChanges",
    "SignInExperienceColor",
    "SignInMethod",
    "SignUp",
    "SignUpProfileField",
    "SocialSignIn",
    "SsoConnector",
    "SsoConnectorBranding",
    "SsoConnectorChanges",
    "SsoIdentity",
    "SubjectToken",
    "Suspension",
    "User",
    "UserChanges",
    "UserConsentScopes",
    "UserConsentScopesOrganizationScope",
    "UserConsentScopesResourceScope",
    "UserConsentScopesResourceScopeResource",
    "UserIds",
    "VerificationCodePolicy",
]


class AccountCenter(TypedDict):
    """Returned by GET /account-center and others."""

    tenantId: str
    id: str
    enabled: bool
    fields: AccountCenterFields
    webauthnRelatedOrigins: list[str]
    deleteAccountUrl: str | None
    customCss: str | None
    profileFields: list[SignUpProfileField] | None


class AccountCenterChanges(TypedDict):
    """Sent by PATCH /account-center."""

    enabled: NotRequired[bool]
    fields: NotRequired[AccountCenterFields]
    webauthnRelatedOrigins: NotRequired[list[str]]
    deleteAccountUrl: NotRequired[str | None]
    customCss: NotRequired[str | None]
    profileFields: NotRequired[list[SignUpProfileField] | None]


class AccountCenterFields(TypedDict):
    """Part of AccountCenter and others."""

    name: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    avatar: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    profile: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    email: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    phone: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    password: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    username: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    social: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    customData: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    mfa: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    passkey: NotRequired[Literal["Off", "ReadOnly", "Edit"]]
    session: NotRequired[Literal["Off", "ReadOnly", "Edit"]]


class Action(TypedDict):
    """Returned by GET /configs/actions/{actionType} and others."""

    script: str
    environmentVariables: NotRequired[dict[str, str]]
    contextSample: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    onExecutionError: NotRequired[Literal["block", "allow"]]


class ActionChanges(TypedDict):
    """Sent by PATCH /configs/actions/{actionType}."""

    script: NotRequired[str]
    environmentVariables: NotRequired[dict[str, str]]
    contextSample: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    onExecutionError: NotRequired[Literal["block", "allow"]]


class AdaptiveMfa(TypedDict):
    """Part of SignInExperience and others."""

    enabled: NotRequired[bool]


class Address(TypedDict):
    """Part of Profile."""

    formatted: NotRequired[str]
    streetAddress: NotRequired[str]
    locality: NotRequired[str]
    region: NotRequired[str]
    postalCode: NotRequired[str]
    country: NotRequired[str]


class Application(TypedDict):
    """Returned by GET /applications and others."""

    tenantId: str
    id: str
    name: str
    secret: NotRequired[str]
    description: str | None
    type: Literal["Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML"]
    oidcClientMetadata: OidcClientMetadata
    customClientMetadata: CustomClientMetadata
    protectedAppMetadata: dict[str, Any]
    customData: dict[str, Any]
    isThirdParty: bool
    appLevelAccessControlEnabled: bool
    createdAt: int
    isAdmin: NotRequired[bool]


class ApplicationChanges(TypedDict):
    """Sent by PATCH /applications/{id}."""

    name: NotRequired[str]
    description: NotRequired[str | None]
    oidcClientMetadata: NotRequired[OidcClientMetadata]
    customClientMetadata: NotRequired[CustomClientMetadata]
    customData: NotRequired[dict[str, Any]]
    appLevelAccessControlEnabled: NotRequired[bool]
    protectedAppMetadata: NotRequired[dict[str, Any]]
    isAdmin: NotRequired[bool]


class ApplicationIds(TypedDict):
    """Sent by POST /organizations/{id}/applications."""

    applicationIds: list[str]


class ApplicationMember(TypedDict):
    """Returned by GET /organizations/{id}/applications."""

    tenantId: str
    id: str
    name: str
    secret: NotRequired[str]
    description: str | None
    type: Literal["Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML"]
    oidcClientMetadata: OidcClientMetadata
    customClientMetadata: CustomClientMetadata
    protectedAppMetadata: dict[str, Any]
    customData: dict[str, Any]
    isThirdParty: bool
    appLevelAccessControlEnabled: bool
    createdAt: int
    organizationRoles: list[IdAndName]


class ApplicationSecret(TypedDict):
    """Returned by GET /applications/{id}/secrets."""

    tenantId: str
    applicationId: str
    name: str
    value: str
    createdAt: int
    expiresAt: int | None


class Branding(TypedDict):
    """Part of OrganizationOfMember and others."""

    logoUrl: NotRequired[str]
    darkLogoUrl: NotRequired[str]
    favicon: NotRequired[str]
    darkFavicon: NotRequired[str]


class CaptchaPolicy(TypedDict):
    """Part of SignInExperience and others."""

    enabled: NotRequired[bool]


class Color(TypedDict):
    """Part of OrganizationOfMember and others."""

    primaryColor: NotRequired[str]
    isDarkModeEnabled: NotRequired[bool]
    darkPrimaryColor: NotRequired[str]


class Connector(TypedDict):
    """Returned by GET /connectors and others."""

    id: str
    syncProfile: bool
    enableTokenStorage: bool
    config: dict[str, Any]
    metadata: ConnectorMetadata
    connectorId: str
    target: str
    name: dict[str, Any]
    description: dict[str, Any]
    logo: str
    logoDark: str | None
    readme: str
    configTemplate: NotRequired[str]
    formItems: NotRequired[list[FormItem]]
    customData: NotRequired[dict[str, Any]]
    fromEmail: NotRequired[str]
    platform: Literal["Native", "Universal", "Web"] | None
    isStandard: NotRequired[bool]
    isTokenStorageSupported: NotRequired[bool]
    type: Literal["Email", "Sms", "Social"]
    isDemo: NotRequired[bool]
    extraInfo: NotRequired[dict[str, Any]]
    usage: NotRequired[int]


class ConnectorChanges(TypedDict):
    """Sent by PATCH /connectors/{id}."""

    config: NotRequired[dict[str, Any]]
    metadata: NotRequired[ConnectorMetadata]
    syncProfile: NotRequired[bool]
    enableTokenStorage: NotRequired[bool]


class ConnectorFactory(TypedDict):
    """Returned by GET /connector-factories and others."""

    type: Literal["Email", "Sms", "Social"]
    isDemo: NotRequired[bool]
    id: str
    target: str
    name: dict[str, Any]
    description: dict[str, Any]
    logo: str
    logoDark: str | None
    readme: str
    configTemplate: NotRequired[str]
    formItems: NotRequired[list[FormItem]]
    customData: NotRequired[dict[str, Any]]
    fromEmail: NotRequired[str]
    platform: Literal["Native", "Universal", "Web"] | None
    isStandard: NotRequired[bool]
    isTokenStorageSupported: NotRequired[bool]


class ConnectorMetadata(TypedDict):
    """Part of Connector and others."""

    target: NotRequired[str]
    name: NotRequired[dict[str, Any]]
    logo: NotRequired[str]
    logoDark: NotRequired[str | None]


class ConnectorTest(TypedDict):
    """Sent by POST /connectors/{factoryId}/test."""

    phone: NotRequired[str]
    email: NotRequired[str]
    config: dict[str, Any]
    locale: NotRequired[str]


class CustomClientMetadata(TypedDict):
    """Part of Application and others."""

    corsAllowedOrigins: NotRequired[list[str]]
    idTokenTtl: NotRequired[int]
    refreshTokenTtl: NotRequired[int]
    refreshTokenTtlInDays: NotRequired[int]
    tenantId: NotRequired[str]
    alwaysIssueRefreshToken: NotRequired[bool]
    rotateRefreshToken: NotRequired[bool]
    allowTokenExchange: NotRequired[bool]
    isDeviceFlow: NotRequired[bool]
    maxAllowedGrants: NotRequired[int]


class CustomDataChanges(TypedDict):
    """Sent by PATCH /users/{userId}/custom-data."""

    customData: dict[str, Any]


class CustomUiAssets(TypedDict):
    """Part of SignInExperience and others."""

    id: str
    createdAt: int


class CustomUiCsp(TypedDict):
    """Part of SignInExperience and others."""

    scriptSrc: NotRequired[list[str]]
    connectSrc: NotRequired[list[str]]


class DynamicClientSettings(TypedDict):
    """Returned by GET /configs/cimd and others."""

    enabled: bool


class DynamicClientSettingsChanges(TypedDict):
    """Sent by PATCH /configs/cimd."""

    enabled: NotRequired[bool]


class EmailBlocklistPolicy(TypedDict):
    """Part of SignInExperience and others."""

    blockDisposableAddresses: NotRequired[bool]
    blockSubaddressing: NotRequired[bool]
    customAllowlist: NotRequired[list[str]]
    customBlocklist: NotRequired[list[str]]


class FeaturedApplication(TypedDict):
    """Part of Role."""

    id: str
    name: str
    type: Literal["Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML"]


class FeaturedUser(TypedDict):
    """Part of Role and others."""

    id: str
    avatar: str | None
    name: str | None


class FormItem(TypedDict):
    """Part of Connector and others."""

    type: Literal["Select", "MultiSelect", "Text", "Number", "MultilineText", "Switch", "Json"]
    selectItems: NotRequired[list[SelectItem]]
    key: str
    label: str
    placeholder: NotRequired[str]
    required: NotRequired[bool]
    defaultValue: NotRequired[Any]
    showConditions: NotRequired[list[ShowCondition]]
    description: NotRequired[str]
    tooltip: NotRequired[str]
    isConfidential: NotRequired[bool]
    isDevFeature: NotRequired[bool]


class Hook(TypedDict):
    """Returned by GET /hooks and others."""

    tenantId: str
    id: str
    name: str
    event: str | None
    events: list[str]
    config: HookConfig
    signingKey: str
    enabled: bool
    createdAt: int
    executionStats: NotRequired[HookExecutionStats]


class HookChanges(TypedDict):
    """Sent by PATCH /hooks/{id}."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    event: NotRequired[str | None]
    events: NotRequired[list[str]]
    config: NotRequired[HookConfig]
    enabled: NotRequired[bool]
    createdAt: NotRequired[int]


class HookConfig(TypedDict):
    """Part of Hook and others."""

    url: str
    headers: NotRequired[dict[str, str]]
    retries: NotRequired[int]


class HookExecutionStats(TypedDict):
    """Part of Hook."""

    successCount: int
    requestCount: int


class HookTest(TypedDict):
    """Sent by POST /hooks/{id}/test."""

    events: list[str]
    config: HookConfig
    event: NotRequired[Any]


class IdAndName(TypedDict):
    """Part of OrganizationOfMember and others."""

    id: str
    name: str


class Identity(TypedDict):
    """Part of User and others."""

    userId: str
    details: NotRequired[dict[str, Any]]


class Invitation(TypedDict):
    """Returned by GET /organization-invitations and others."""

    tenantId: str
    id: str
    inviterId: str | None
    invitee: str
    acceptedUserId: str | None
    organizationId: str
    status: Literal["Pending", "Accepted", "Expired", "Revoked"]
    createdAt: int
    updatedAt: int
    expiresAt: int
    organizationRoles: list[IdAndName]


class InvitationStatus(TypedDict):
    """Sent by PUT /organization-invitations/{id}/status."""

    acceptedUserId: NotRequired[str | None]
    status: Literal["Accepted", "Revoked"]


class JitEmailDomain(TypedDict):
    """Returned by GET /organizations/{id}/jit/email-domains and others."""

    tenantId: str
    organizationId: str
    emailDomain: str


class JitEmailDomains(TypedDict):
    """Sent by PUT /organizations/{id}/jit/email-domains."""

    emailDomains: list[str]


class JitRoles(TypedDict):
    """Sent by POST /organizations/{id}/jit/roles and others."""

    organizationRoleIds: list[str]


class JitSsoConnector(TypedDict):
    """Returned by GET /organizations/{id}/jit/sso-connectors."""

    tenantId: str
    id: str
    providerName: str
    connectorName: str
    config: dict[str, Any]
    domains: list[str]
    branding: SsoConnectorBranding
    syncProfile: bool
    enableTokenStorage: bool
    createdAt: int


class JitSsoConnectors(TypedDict):
    """Sent by POST /organizations/{id}/jit/sso-connectors and others."""

    ssoConnectorIds: list[str]


class JwtCustomizer(TypedDict):
    """Returned by GET /configs/jwt-customizer/{tokenTypePath} and others."""

    script: str
    environmentVariables: NotRequired[dict[str, str]]
    contextSample: NotRequired[dict[str, Any]]
    blockIssuanceOnError: NotRequired[bool]
    tokenSample: NotRequired[dict[str, Any]]


class JwtCustomizerChanges(TypedDict):
    """Sent by PUT /configs/jwt-customizer/{tokenTypePath} and others."""

    script: NotRequired[Any]
    environmentVariables: NotRequired[Any]
    contextSample: NotRequired[dict[str, Any]]
    tokenSample: NotRequired[dict[str, Any]]
    blockIssuanceOnError: NotRequired[Any]


class JwtCustomizerTest(TypedDict):
    """Sent by POST /configs/jwt-customizer/test."""

    tokenType: Literal["access-token", "client-credentials"]
    environmentVariables: NotRequired[dict[str, str]]
    script: str
    token: dict[str, Any]
    context: dict[str, Any]


class LanguageInfo(TypedDict):
    """Part of SignInExperience and others."""

    autoDetect: bool
    fallbackLanguage: str


class Log(TypedDict):
    """Returned by GET /hooks/{id}/recent-logs."""

    id: str
    key: str
    payload: LogPayload
    createdAt: int


class LogPayload(TypedDict):
    """Part of Log."""

    key: str
    result: Literal["Success", "Error"]
    error: NotRequired[dict[str, Any] | str]
    ip: NotRequired[str]
    userAgent: NotRequired[str]
    userAgentParsed: NotRequired[dict[str, Any]]
    userId: NotRequired[str]
    applicationId: NotRequired[str]
    cimdClientId: NotRequired[str]
    sessionId: NotRequired[str]
    params: NotRequired[dict[str, Any]]


class Member(TypedDict):
    """Returned by GET /organizations/{id}/users."""

    id: str
    username: str | None
    primaryEmail: str | None
    primaryPhone: str | None
    name: str | None
    avatar: str | None
    customData: dict[str, Any]
    identities: dict[str, Identity]
    lastSignInAt: int | None
    createdAt: int
    updatedAt: int
    profile: Profile
    applicationId: str | None
    cimdClientId: NotRequired[str | None]
    isSuspended: bool
    organizationRoles: list[IdAndName]


class MessagePayload(TypedDict):
    """Sent by POST /organization-invitations/{id}/message."""

    code: NotRequired[str]
    link: NotRequired[str]
    locale: NotRequired[str]
    uiLocales: NotRequired[str]


class Mfa(TypedDict):
    """Part of SignInExperience and others."""

    factors: list[Literal["Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode"]]
    policy: Literal[
        "UserControlled",
        "Mandatory",
        "PromptOnlyAtSignIn",
        "PromptAtSignInAndSignUp",
        "NoPrompt",
        "PromptAtSignInAndSignUpMandatory",
        "PromptOnlyAtSignInMandatory",
    ]
    organizationRequiredMfaPolicy: NotRequired[Literal["NoPrompt", "Mandatory"]]


class MoreOrganizationRolesOfMember(TypedDict):
    """Sent by POST /organizations/{id}/users/{userId}/roles."""

    organizationRoleIds: NotRequired[list[str]]
    organizationRoleNames: NotRequired[list[str]]


class NewAction(TypedDict):
    """Sent by PUT /configs/actions/{actionType}."""

    script: str
    environmentVariables: NotRequired[dict[str, str]]
    contextSample: NotRequired[dict[str, Any]]
    enabled: NotRequired[bool]
    onExecutionError: NotRequired[Literal["block", "allow"]]


class NewApplication(TypedDict):
    """Sent by POST /applications."""

    name: str
    description: NotRequired[str | None]
    type: Literal["Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML"]
    oidcClientMetadata: NotRequired[OidcClientMetadata]
    customClientMetadata: NotRequired[CustomClientMetadata]
    customData: NotRequired[dict[str, Any]]
    isThirdParty: NotRequired[bool]
    protectedAppMetadata: NotRequired[dict[str, Any]]


class NewConnector(TypedDict):
    """Sent by POST /connectors."""

    config: NotRequired[dict[str, Any]]
    connectorId: str
    metadata: NotRequired[ConnectorMetadata]
    syncProfile: NotRequired[bool]
    enableTokenStorage: NotRequired[bool]
    id: NotRequired[str]


class NewHook(TypedDict):
    """Sent by POST /hooks."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    event: NotRequired[str]
    events: NotRequired[list[str]]
    config: HookConfig
    enabled: NotRequired[bool]
    createdAt: NotRequired[int]


class NewInvitation(TypedDict):
    """Sent by POST /organization-invitations."""

    inviterId: NotRequired[str | None]
    invitee: str
    organizationId: str
    expiresAt: int
    organizationRoleIds: NotRequired[list[str]]
    messagePayload: NotRequired[MessagePayload | Literal[False]]


class NewJitEmailDomain(TypedDict):
    """Sent by POST /organizations/{id}/jit/email-domains."""

    emailDomain: str


class NewOneTimeToken(TypedDict):
    """Sent by POST /one-time-tokens."""

    email: str
    context: NotRequired[OneTimeTokenContext]
    expiresIn: NotRequired[int]


class NewOrganization(TypedDict):
    """Sent by POST /organizations."""

    tenantId: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    customData: NotRequired[dict[str, Any]]
    isMfaRequired: NotRequired[bool]
    color: NotRequired[Color]
    branding: NotRequired[Branding]
    customCss: NotRequired[str | None]
    createdAt: NotRequired[int]


class NewOrganizationRole(TypedDict):
    """Sent by POST /organization-roles."""

    tenantId: NotRequired[str]
    name: str
    description: NotRequired[str | None]
    type: NotRequired[Literal["User", "MachineToMachine"]]
    organizationScopeIds: NotRequired[list[str]]
    resourceScopeIds: NotRequired[list[str]]


class NewOrganizationScope(TypedDict):
    """Sent by POST /organization-scopes."""

    tenantId: NotRequired[str]
    name: str
    description: NotRequired[str | None]


class NewPersonalAccessToken(TypedDict):
    """Sent by POST /users/{userId}/personal-access-tokens."""

    name: str
    expiresAt: NotRequired[int | None]


class NewResource(TypedDict):
    """Sent by POST /resources."""

    tenantId: NotRequired[str]
    name: str
    indicator: str
    accessTokenTtl: NotRequired[int]


class NewRole(TypedDict):
    """Sent by POST /roles."""

    tenantId: NotRequired[str]
    name: str
    description: str
    type: NotRequired[Literal["User", "MachineToMachine"]]
    isDefault: NotRequired[bool]
    scopeIds: NotRequired[list[str]]


class NewScope(TypedDict):
    """Sent by POST /resources/{resourceId}/scopes."""

    name: str
    description: NotRequired[str | None]


class NewSsoConnector(TypedDict):
    """Sent by POST /sso-connectors."""

    config: NotRequired[dict[str, Any]]
    domains: NotRequired[list[str]]
    branding: NotRequired[SsoConnectorBranding]
    syncProfile: NotRequired[bool]
    enableTokenStorage: NotRequired[bool]
    providerName: str
    connectorName: str


class NewSubjectToken(TypedDict):
    """Sent by POST /subject-tokens."""

    userId: str
    context: NotRequired[dict[str, Any]]


class NewUser(TypedDict):
    """Sent by POST /users."""

    primaryPhone: NotRequired[str]
    primaryEmail: NotRequired[str]
    username: NotRequired[str]
    password: NotRequired[str]
    passwordDigest: NotRequired[str]
    passwordAlgorithm: NotRequired[
        Literal["Argon2i", "Argon2id", "Argon2d", "SHA1", "SHA256", "MD5", "Bcrypt", "Legacy"]
    ]
    name: NotRequired[str]
    avatar: NotRequired[str | None]
    customData: NotRequired[dict[str, Any]]
    profile: NotRequired[Profile]


class NewUserConsentScopes(TypedDict):
    """Sent by POST /applications/{applicationId}/user-consent-scopes and others."""

    organizationScopes: NotRequired[list[str]]
    resourceScopes: NotRequired[list[str]]
    organizationResourceScopes: NotRequired[list[str]]
    userScopes: NotRequired[list[str]]


class OidcClientMetadata(TypedDict):
    """Part of Application and others."""

    redirectUris: list[str]
    postLogoutRedirectUris: list[str]
    backchannelLogoutUri: NotRequired[str]
    backchannelLogoutSessionRequired: NotRequired[bool]
    logoUri: NotRequired[str]


class OneTimeToken(TypedDict):
    """Returned by GET /one-time-tokens and others."""

    tenantId: str
    id: str
    email: str
    token: str
    context: OneTimeTokenContext
    status: Literal["active", "consumed", "revoked", "expired"]
    createdAt: int
    expiresAt: int


class OneTimeTokenContext(TypedDict):
    """Part of OneTimeToken and others."""

    jitOrganizationIds: NotRequired[list[str]]
    interactionEvent: NotRequired[Literal["SignIn", "Register", "ForgotPassword"]]


class Organization(TypedDict):
    """Returned by GET /organizations and others."""

    tenantId: str
    id: str
    name: str
    description: str | None
    customData: dict[str, Any]
    isMfaRequired: bool
    color: Color
    branding: Branding
    customCss: str | None
    createdAt: int
    usersCount: NotRequired[int]
    featuredUsers: NotRequired[list[FeaturedUser]]


class OrganizationChanges(TypedDict):
    """Sent by PATCH /organizations/{id}."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    description: NotRequired[str | None]
    customData: NotRequired[dict[str, Any]]
    isMfaRequired: NotRequired[bool]
    color: NotRequired[Color]
    branding: NotRequired[Branding]
    customCss: NotRequired[str | None]
    createdAt: NotRequired[int]


class OrganizationOfMember(TypedDict):
    """Returned by GET /users/{userId}/organizations."""

    tenantId: str
    id: str
    name: str
    description: str | None
    customData: dict[str, Any]
    isMfaRequired: bool
    color: Color
    branding: Branding
    customCss: str | None
    createdAt: int
    organizationRoles: list[IdAndName]


class OrganizationResourceScope(TypedDict):
    """Part of UserConsentScopes."""

    resource: UserConsentScopesResourceScopeResource
    scopes: list[UserConsentScopesOrganizationScope]


class OrganizationRole(TypedDict):
    """Returned by GET /organization-roles and others."""

    tenantId: str
    id: str
    name: str
    description: str | None
    type: Literal["User", "MachineToMachine"]
    scopes: NotRequired[list[IdAndName]]
    resourceScopes: NotRequired[list[ResourceScope]]


class OrganizationRoleChanges(TypedDict):
    """Sent by PATCH /organization-roles/{id}."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    description: NotRequired[str | None]
    type: NotRequired[Literal["User", "MachineToMachine"]]


class OrganizationRolesOfApplication(TypedDict):
    """Sent by POST /organizations/{id}/applications/{applicationId}/roles."""

    organizationRoleIds: list[str]


class OrganizationRolesOfMember(TypedDict):
    """Sent by PUT /organizations/{id}/users/{userId}/roles."""

    organizationRoleIds: NotRequired[list[str]]
    organizationRoleNames: NotRequired[list[str]]


class OrganizationScope(TypedDict):
    """Returned by GET /organization-scopes and others."""

    tenantId: str
    id: str
    name: str
    description: str | None


class OrganizationScopeChanges(TypedDict):
    """Sent by PATCH /organization-scopes/{id}."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    description: NotRequired[str | None]


class OrganizationScopeIds(TypedDict):
    """Sent by POST /organization-roles/{id}/scopes."""

    organizationScopeIds: list[str]


class PasskeySignIn(TypedDict):
    """Part of SignInExperience and others."""

    enabled: NotRequired[bool]
    showPasskeyButton: NotRequired[bool]
    allowAutofill: NotRequired[bool]


class PasswordCharacterTypes(TypedDict):
    """Part of PasswordPolicy."""

    min: int


class PasswordExpiration(TypedDict):
    """Part of SignInExperience and others."""

    enabled: NotRequired[bool]
    validPeriodDays: NotRequired[int]
    enabledAt: NotRequired[int]


class PasswordLength(TypedDict):
    """Part of PasswordPolicy."""

    min: int
    max: int


class PasswordPolicy(TypedDict):
    """Part of SignInExperience and others."""

    length: NotRequired[PasswordLength]
    characterTypes: NotRequired[PasswordCharacterTypes]
    rejects: NotRequired[PasswordRejects]


class PasswordRejects(TypedDict):
    """Part of PasswordPolicy."""

    pwned: bool
    repetitionAndSequence: bool
    userInfo: bool
    words: list[str]


class PersonalAccessToken(TypedDict):
    """Returned by GET /users/{userId}/personal-access-tokens and others."""

    tenantId: str
    userId: str
    name: str
    value: str
    createdAt: int
    expiresAt: int | None


class PersonalAccessTokenChanges(TypedDict):
    """Sent by PATCH /users/{userId}/personal-access-tokens."""

    name: str
    currentName: NotRequired[str]


class PersonalAccessTokenName(TypedDict):
    """Sent by POST /users/{userId}/personal-access-tokens/delete."""

    name: str


class PlainOrganizationRole(TypedDict):
    """Returned by GET /organizations/{id}/users/{userId}/roles and others."""

    tenantId: str
    id: str
    name: str
    description: str | None
    type: Literal["User", "MachineToMachine"]


class Profile(TypedDict):
    """Returned by PATCH /users/{userId}/profile."""

    familyName: NotRequired[str]
    givenName: NotRequired[str]
    middleName: NotRequired[str]
    nickname: NotRequired[str]
    preferredUsername: NotRequired[str]
    profile: NotRequired[str]
    website: NotRequired[str]
    gender: NotRequired[str]
    birthdate: NotRequired[str]
    zoneinfo: NotRequired[str]
    locale: NotRequired[str]
    address: NotRequired[Address]


class ProfileChanges(TypedDict):
    """Sent by PATCH /users/{userId}/profile."""

    profile: Profile


class Resource(TypedDict):
    """Returned by GET /resources and others."""

    tenantId: str
    id: str
    name: str
    indicator: str
    isDefault: bool
    accessTokenTtl: int
    scopes: NotRequired[list[Scope]]


class ResourceChanges(TypedDict):
    """Sent by PATCH /resources/{id}."""

    tenantId: NotRequired[str]
    name: NotRequired[str]
    accessTokenTtl: NotRequired[int]


class ResourceScope(TypedDict):
    """Part of OrganizationRole."""

    id: str
    name: str
    resource: IdAndName


class Role(TypedDict):
    """Returned by GET /users/{userId}/roles and others."""

    tenantId: str
    id: str
    name: str
    description: str
    type: Literal["User", "MachineToMachine"]
    isDefault: bool
    usersCount: NotRequired[int]
    featuredUsers: NotRequired[list[FeaturedUser]]
    applicationsCount: NotRequired[int]
    featuredApplications: NotRequired[list[FeaturedApplication]]


class RoleChanges(TypedDict):
    """Sent by PATCH /roles/{id}."""

    name: NotRequired[str]
    description: NotRequired[str]
    isDefault: NotRequired[bool]


class Scope(TypedDict):
    """Returned by GET /roles/{id}/scopes and others."""

    tenantId: str
    id: str
    resourceId: str
    name: str
    description: str | None
    createdAt: int
    resource: NotRequired[Resource]


class ScopeChanges(TypedDict):
    """Sent by PATCH /resources/{resourceId}/scopes/{scopeId}."""

    name: NotRequired[str]
    description: NotRequired[str | None]


class ScopeIds(TypedDict):
    """Sent by POST /roles/{id}/scopes and others."""

    scopeIds: list[str]


class SecondaryIdentifier(TypedDict):
    """Part of SignUp."""

    identifier: Literal["username", "email", "phone", "emailOrPhone"]
    verify: NotRequired[bool]


class SelectItem(TypedDict):
    """Part of FormItem."""

    value: str
    title: NotRequired[str]


class SentinelPolicy(TypedDict):
    """Part of SignInExperience and others."""

    maxAttempts: NotRequired[int]
    lockoutDuration: NotRequired[int]


class Session(TypedDict):
    """Part of Sessions."""

    payload: SessionPayload
    lastSubmission: dict[str, Any]
    clientId: str | None
    accountId: str | None
    expiresAt: int


class SessionAuthorization(TypedDict):
    """Part of SessionPayload."""

    sid: NotRequired[str]
    grantId: NotRequired[str]
    persistsLogout: NotRequired[bool]


class SessionPayload(TypedDict):
    """Part of Session."""

    exp: int
    iat: int
    jti: str
    uid: str
    kind: Literal["Session"]
    loginTs: int
    accountId: str
    authorizations: NotRequired[dict[str, SessionAuthorization]]


class Sessions(TypedDict):
    """Returned by GET /users/{userId}/sessions."""

    sessions: list[Session]


class ShowCondition(TypedDict):
    """Part of FormItem."""

    targetKey: str
    expectValue: NotRequired[Any]


class SignIn(TypedDict):
    """Part of SignInExperience and others."""

    methods: list[SignInMethod]


class SignInExperience(TypedDict):
    """Returned by GET /sign-in-exp and others."""

    tenantId: str
    id: str
    color: SignInExperienceColor
    branding: Branding
    hideLogtoBranding: bool
    languageInfo: LanguageInfo
    termsOfUseUrl: str | None
    privacyPolicyUrl: str | None
    agreeToTermsPolicy: Literal["Automatic", "ManualRegistrationOnly", "Manual"]
    signIn: SignIn
    signUp: SignUp
    socialSignIn: SocialSignIn
    socialSignInConnectorTargets: list[str]
    signInMode: Literal["SignIn", "Register", "SignInAndRegister"]
    customCss: str | None
    customContent: dict[str, str]
    customUiAssets: CustomUiAssets | None
    customUiCsp: CustomUiCsp
    passwordPolicy: PasswordPolicy
    mfa: Mfa
    adaptiveMfa: AdaptiveMfa
    singleSignOnEnabled: bool
    supportEmail: str | None
    supportWebsiteUrl: str | None
    unknownSessionRedirectUrl: str | None
    captchaPolicy: CaptchaPolicy
    sentinelPolicy: SentinelPolicy
    emailBlocklistPolicy: EmailBlocklistPolicy
    verificationCodePolicy: VerificationCodePolicy
    forgotPasswordMethods: list[Literal["EmailVerificationCode", "PhoneVerificationCode"]] | None
    passkeySignIn: PasskeySignIn
    signUpProfileFields: list[SignUpProfileField] | None
    passwordExpiration: PasswordExpiration
    usernamePolicy: dict[str, Any]


class SignInExperienceChanges(TypedDict):
    """Sent by PATCH /sign-in-exp."""

    tenantId: NotRequired[str]
    color: NotRequired[SignInExperienceColor]
    branding: NotRequired[Branding]
    hideLogtoBranding: NotRequired[bool]
    languageInfo: NotRequired[LanguageInfo]
    agreeToTermsPolicy: NotRequired[Literal["Automatic", "ManualRegistrationOnly", "Manual"]]
    signIn: NotRequired[SignIn]
    signUp: NotRequired[SignUp]
    socialSignIn: NotRequired[SocialSignIn]
    socialSignInConnectorTargets: NotRequired[list[str]]
    signInMode: NotRequired[Literal["SignIn", "Register", "SignInAndRegister"]]
    customCss: NotRequired[str | None]
    customContent: NotRequired[dict[str, str]]
    customUiAssets: NotRequired[CustomUiAssets | None]
    customUiCsp: NotRequired[CustomUiCsp]
    passwordPolicy: NotRequired[PasswordPolicy]
    mfa: NotRequired[Mfa]
    adaptiveMfa: NotRequired[AdaptiveMfa]
    singleSignOnEnabled: NotRequired[bool]
    captchaPolicy: NotRequired[CaptchaPolicy]
    sentinelPolicy: NotRequired[SentinelPolicy]
    emailBlocklistPolicy: NotRequired[EmailBlocklistPolicy]
    forgotPasswordMethods: NotRequired[list[Literal["EmailVerificationCode", "PhoneVerificationCode"]] | None]
    passkeySignIn: NotRequired[PasskeySignIn]
    signUpProfileFields: NotRequired[list[SignUpProfileField] | None]
    usernamePolicy: NotRequired[dict[str, Any]]
    termsOfUseUrl: NotRequired[str | None]
    privacyPolicyUrl: NotRequired[str | None]
    supportEmail: NotRequired[str | None]
    supportWebsiteUrl: NotRequired[str | None]
    unknownSessionRedirectUrl: NotRequired[str | None]
    passwordExpiration: NotRequired[PasswordExpiration]
    verificationCodePolicy: NotRequired[VerificationCodePolicy]


class SignInExperienceColor(TypedDict):
    """Part of SignInExperience and others."""

    primaryColor: str
    isDarkModeEnabled: bool
    darkPrimaryColor: str


class SignInMethod(TypedDict):
    """Part of SignIn."""

    identifier: Literal["username", "email", "phone"]
    password: bool
    verificationCode: bool
    isPasswordPrimary: bool


class SignUp(TypedDict):
    """Part of SignInExperience and others."""

    identifiers: list[Literal["username", "email", "phone"]]
    password: bool
    verify: bool
    secondaryIdentifiers: NotRequired[list[SecondaryIdentifier]]


class SignUpProfileField(TypedDict):
    """Part of SignInExperience and others."""

    name: str


class SocialSignIn(TypedDict):
    """Part of SignInExperience and others."""

    automaticAccountLinking: NotRequired[bool]
    skipRequiredIdentifiers: NotRequired[bool]


class SsoConnector(TypedDict):
    """Returned by GET /sso-connectors and others."""

    tenantId: str
    id: str
    providerName: Literal["OIDC", "SAML", "AzureAD", "GoogleWorkspace", "Okta", "AzureAdOidc"] | str
    connectorName: str
    config: dict[str, Any]
    domains: list[str]
    branding: SsoConnectorBranding
    syncProfile: bool
    enableTokenStorage: bool
    createdAt: int
    name: NotRequired[str]
    providerType: NotRequired[Literal["oidc", "saml"]]
    providerLogo: NotRequired[str]
    providerLogoDark: NotRequired[str]
    providerConfig: NotRequired[dict[str, Any]]


class SsoConnectorBranding(TypedDict):
    """Part of SsoConnector and others."""

    displayName: NotRequired[str]
    logo: NotRequired[str]
    darkLogo: NotRequired[str]


class SsoConnectorChanges(TypedDict):
    """Sent by PATCH /sso-connectors/{id}."""

    config: NotRequired[dict[str, Any]]
    domains: NotRequired[list[str]]
    branding: NotRequired[SsoConnectorBranding]
    syncProfile: NotRequired[bool]
    connectorName: NotRequired[str]
    enableTokenStorage: NotRequired[bool]


class SsoIdentity(TypedDict):
    """Part of User."""

    tenantId: str
    id: str
    userId: str
    issuer: str
    identityId: str
    detail: dict[str, Any]
    createdAt: int
    updatedAt: int
    ssoConnectorId: str


class SubjectToken(TypedDict):
    """Returned by POST /subject-tokens."""

    subjectToken: str
    expiresIn: int


class Suspension(TypedDict):
    """Sent by PATCH /users/{userId}/is-suspended."""

    isSuspended: bool


class User(TypedDict):
    """Returned by GET /users and others."""

    id: str
    username: str | None
    primaryEmail: str | None
    primaryPhone: str | None
    name: str | None
    avatar: str | None
    customData: dict[str, Any]
    identities: dict[str, Identity]
    lastSignInAt: int | None
    createdAt: int
    updatedAt: int
    profile: Profile
    applicationId: str | None
    cimdClientId: NotRequired[str | None]
    isSuspended: bool
    hasPassword: NotRequired[bool]
    hasSecurityVerificationMethod: NotRequired[bool]
    ssoIdentities: NotRequired[list[SsoIdentity]]
    passwordDigest: NotRequired[str | None]
    passwordAlgorithm: NotRequired[str | None]


class UserChanges(TypedDict):
    """Sent by PATCH /users/{userId}."""

    username: NotRequired[str | None]
    primaryEmail: NotRequired[str | None]
    primaryPhone: NotRequired[str | None]
    name: NotRequired[str | None]
    avatar: NotRequired[str | None]
    customData: NotRequired[dict[str, Any]]
    profile: NotRequired[Profile]


class UserConsentScopes(TypedDict):
    """Returned by GET /applications/{applicationId}/user-consent-scopes and others."""

    organizationScopes: list[UserConsentScopesOrganizationScope]
    resourceScopes: list[UserConsentScopesResourceScope]
    organizationResourceScopes: list[OrganizationResourceScope]
    userScopes: list[str]


class UserConsentScopesOrganizationScope(TypedDict):
    """Part of UserConsentScopes and others."""

    id: str
    name: str
    description: str | None


class UserConsentScopesResourceScope(TypedDict):
    """Part of UserConsentScopes."""

    resource: UserConsentScopesResourceScopeResource
    scopes: list[UserConsentScopesOrganizationScope]


class UserConsentScopesResourceScopeResource(TypedDict):
    """Part of UserConsentScopesResourceScope and others."""

    id: str
    name: str
    indicator: str


class UserIds(TypedDict):
    """Sent by POST /organizations/{id}/users."""

    userIds: list[str]


class VerificationCodePolicy(TypedDict):
    """Part of SignInExperience and others."""

    expirationDuration: NotRequired[int]
    maxRetryAttempts: NotRequired[int]

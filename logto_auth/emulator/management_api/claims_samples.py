"""What a test run of a script for custom claims is given: a sample of a token and of a context.

Logto checks the samples with the types of the real ones. Every key may be missing, except `user`. In a token an unknown
key is refused, elsewhere it is dropped.
"""

from __future__ import annotations

from logto_auth.emulator.api.schemas import (
    Schema,
    anything,
    boolean,
    choice,
    discriminated,
    list_of,
    literal,
    nullable,
    number,
    object_of,
    optional,
    record_of,
    strict_object_of,
    text,
    union,
)

_FACTORS = ("Totp", "WebAuthn", "BackupCode", "EmailVerificationCode", "PhoneVerificationCode")
_TEMPLATES = (
    "SignIn",
    "Register",
    "ForgotPassword",
    "OrganizationInvitation",
    "Generic",
    "UserPermissionValidation",
    "BindNewIdentifier",
    "MfaVerification",
    "BindMfa",
)
_APPLICATION_TYPES = ("Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML")

_id = text(at_least=1, at_most=21)
_name = nullable(text(at_most=128))


def _partial(**members: Schema) -> Schema:
    return object_of(**{name: optional(member) for name, member in members.items()})


# Tokens


def _token_of(kind: str, **members: Schema) -> Schema:
    shared = {"jti": text(), "aud": union(text(), list_of(text())), "scope": text(), "clientId": text()}
    every = {**shared, **members, "kind": literal(kind)}
    return strict_object_of(**{name: optional(member) for name, member in every.items()})


ACCESS_TOKEN = _token_of(
    "AccessToken",
    accountId=text(),
    expiresWithSession=boolean,
    grantId=text(),
    gty=text(),
    sessionUid=text(),
    sid=text(),
)
CLIENT_CREDENTIALS = _token_of("ClientCredentials")

# Contexts

_role_scope = object_of(
    id=_id, name=text(at_least=1, at_most=256), description=nullable(text()), resourceId=_id, resource=anything
)
_user = _partial(
    id=text(at_least=1, at_most=12),
    username=_name,
    primaryEmail=_name,
    primaryPhone=_name,
    name=_name,
    avatar=nullable(text(at_most=2048)),
    customData=anything,
    identities=record_of(anything),
    lastSignInAt=nullable(number),
    createdAt=number,
    updatedAt=number,
    profile=anything,
    applicationId=nullable(text(at_most=21)),
    cimdClientId=nullable(text()),
    isSuspended=boolean,
    hasPassword=boolean,
    ssoIdentities=list_of(object_of(issuer=text(), identityId=text(), detail=anything)),
    mfaVerificationFactors=list_of(choice(*_FACTORS)),
    roles=list_of(object_of(id=_id, name=text(), description=text(), scopes=list_of(_role_scope))),
    organizations=list_of(object_of(id=_id, name=text(), description=nullable(text()))),
    organizationRoles=list_of(object_of(organizationId=text(), roleId=text(), roleName=text())),
)


def _identifier(*types: str) -> Schema:
    return object_of(type=choice(*types), value=text())


def _code_record(kind: str) -> Schema:
    return object_of(id=text(), templateType=choice(*_TEMPLATES), verified=boolean, identifier=_identifier(kind))


_passkey = {"id": text(), "verified": boolean, "registrationRpId": optional(text())}
_social_user = object_of(
    id=text(), email=optional(text()), phone=optional(text()), name=optional(text()), avatar=optional(text())
)
_RECORDS: dict[str, Schema] = {
    "Password": object_of(id=text(), identifier=_identifier("username", "email", "phone", "userId"), verified=boolean),
    "EmailVerificationCode": _code_record("email"),
    "PhoneVerificationCode": _code_record("phone"),
    "MfaEmailVerificationCode": _code_record("email"),
    "MfaPhoneVerificationCode": _code_record("phone"),
    "Social": object_of(id=text(), connectorId=text(), socialUserInfo=optional(_social_user)),
    "EnterpriseSso": object_of(
        id=text(), connectorId=text(), enterpriseSsoUserInfo=optional(_social_user), issuer=optional(text())
    ),
    "Totp": object_of(id=text(), userId=text(), verified=boolean),
    "BackupCode": object_of(id=text(), userId=text(), code=optional(text())),
    "WebAuthn": object_of(**_passkey, userId=text()),
    "SignInPasskey": object_of(**_passkey, userId=optional(text())),
    "OneTimeToken": object_of(id=text(), verified=boolean, identifier=_identifier("email")),
    "NewPasswordIdentity": object_of(id=text(), identifier=_identifier("username", "email", "phone")),
}


def _typed(kind: str, record: Schema) -> Schema:
    return lambda value, path: {"type": kind, **record(value, path)}


_interaction = _partial(
    interactionEvent=choice("SignIn", "Register", "ForgotPassword"),
    userId=text(),
    verificationRecords=list_of(discriminated("type", **{kind: _typed(kind, each) for kind, each in _RECORDS.items()})),
    signInContext=record_of(text()),
)
_application = _partial(
    tenantId=text(at_most=21),
    id=_id,
    name=text(at_least=1, at_most=256),
    description=nullable(text()),
    type=choice(*_APPLICATION_TYPES),
    oidcClientMetadata=anything,
    customClientMetadata=anything,
    protectedAppMetadata=nullable(anything),
    customData=anything,
    isThirdParty=boolean,
    appLevelAccessControlEnabled=boolean,
    createdAt=number,
)
_organization = _partial(id=_id, name=text(at_least=1, at_most=128), description=nullable(text()), customData=anything)

ACCESS_TOKEN_CONTEXT = object_of(
    user=_user,
    grant=optional(
        _partial(type=literal("urn:ietf:params:oauth:grant-type:token-exchange"), subjectTokenContext=anything)
    ),
    interaction=optional(_interaction),
    application=optional(_application),
    organization=optional(_organization),
)
CLIENT_CREDENTIALS_CONTEXT = object_of(application=optional(_application))

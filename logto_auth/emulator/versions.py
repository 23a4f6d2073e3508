"""What differs between the versions of Logto: one record, with one column for each version.

Every difference that the emulator shows is a field of `LogtoVersion`. A version is the version before it with the
fields that changed, so a new version of Logto is one more `replace`. Code asks for the field, never for the name.

Source: HTTP recorded from Logto 1.41.0 and the development head. Each field was tried on running servers of 1.41.0,
1.42.0 and the head of August 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["DEFAULT", "VERSIONS", "LogtoVersion"]


@dataclass(frozen=True, kw_only=True)
class LogtoVersion:
    """The behaviour of one version of Logto."""

    name: str
    """The name for `--like`."""

    # Signed tokens and ids
    id_token_has_typ: bool
    """The header of an ID token contains `typ`."""
    id_token_has_at_hash: bool
    """An ID token of the token endpoint contains `at_hash`."""
    logout_token_ttl: int | None
    """The seconds from `iat` to `exp` in a logout token. None: it has no `exp`."""
    uid_length: int
    """The length of `jti`, `sid`, and the ids of sessions, interactions and grants."""

    signs_with_every_curve: bool
    """An EC key of a curve other than P-384 signs. Otherwise Logto signs with a published key of P-384 or, without
    one, refuses every client with 400 `invalid_client_metadata`.
    """

    # Grants
    refuses_suspended_users: bool
    """Each grant and userinfo refuse a suspended user. Otherwise only the tokens from before the suspension end."""
    exchange_refuses_id_tokens: bool
    """Token exchange refuses an ID token as subject token."""
    exchange_refuses_third_party_tokens: bool
    """Token exchange refuses an access token of a third-party application as subject token."""

    # Revocation, introspection and userinfo
    access_token_revocation_ends_grant: bool
    """The revocation of an opaque access token ends its grant, with the refresh token."""
    refuses_structured_tokens: bool
    """Revocation and introspection of a JWT are answered with 400 `unsupported_token_type`, otherwise with 200."""
    foreign_revocation_description: str
    """The `error_description` for the revocation of a token of another application."""
    userinfo_without_token_is_401: bool
    """Userinfo without a token is answered with 401 `invalid_token`, otherwise with 400 `invalid_request`."""

    # Discovery and authorization
    has_trusted_devices_scope: bool
    """The scope `urn:logto:scope:trusted_devices` exists."""
    discovery_has_ed25519: bool
    """`token_endpoint_auth_signing_alg_values_supported` contains `Ed25519`."""
    discovery_has_request_parameter: bool
    """Discovery contains `request_parameter_supported: false`."""
    has_oauth_metadata: bool
    """`/oidc/.well-known/oauth-authorization-server` exists (RFC 8414)."""
    browser_endpoints_require_form: bool
    """A POST to `/oidc/auth` or `/oidc/session/end` that is not a form is answered with 404."""
    has_cimd: bool
    """The dynamic app exists: a `client_id` may be the URL of a metadata document. It is off by default."""

    # Outbound requests
    has_outbound_guard: bool
    """No back-channel logout reaches loopback and private addresses, unless the guard is switched off."""
    backchannel_uses_fetch: bool
    """A back-channel logout has the headers of `fetch`: `host` in lower case, an empty user agent, `accept: */*`."""

    # The Management API, webhooks and pages
    applications_have_secret: bool
    """An application contains `secret`, which does not authenticate."""
    users_have_cimd_client_id: bool
    """A user contains `cimdClientId`."""
    members_take_empty_role_lists: bool
    """An empty list of organization roles for a member is accepted, otherwise answered with 422."""
    email_blocklist_is_public: bool
    """The public sign-in experience contains `emailBlocklistPolicy`."""
    has_grant_limit_event: bool
    """The webhook event `Grant.LimitExceeded` exists."""
    has_actions: bool
    """Actions exist: scripts of the tenant that run in a sign-in."""


LOGTO_1_41 = LogtoVersion(
    name="1.41",
    id_token_has_typ=True,
    id_token_has_at_hash=True,
    logout_token_ttl=None,
    uid_length=21,
    signs_with_every_curve=False,
    refuses_suspended_users=False,
    exchange_refuses_id_tokens=False,
    exchange_refuses_third_party_tokens=False,
    access_token_revocation_ends_grant=False,
    refuses_structured_tokens=False,
    foreign_revocation_description="this token does not belong to you",
    userinfo_without_token_is_401=False,
    has_trusted_devices_scope=False,
    discovery_has_ed25519=False,
    discovery_has_request_parameter=True,
    has_oauth_metadata=False,
    browser_endpoints_require_form=False,
    has_cimd=False,
    has_outbound_guard=False,
    backchannel_uses_fetch=False,
    applications_have_secret=True,
    users_have_cimd_client_id=False,
    members_take_empty_role_lists=False,
    email_blocklist_is_public=True,
    has_grant_limit_event=False,
    has_actions=False,
)
LOGTO_1_42 = replace(
    LOGTO_1_41,
    name="1.42",
    id_token_has_typ=False,
    id_token_has_at_hash=False,
    logout_token_ttl=120,
    uid_length=43,
    access_token_revocation_ends_grant=True,
    refuses_structured_tokens=True,
    foreign_revocation_description="client is not authorized to revoke the presented token",
    userinfo_without_token_is_401=True,
    discovery_has_ed25519=True,
    discovery_has_request_parameter=False,
    has_oauth_metadata=True,
    browser_endpoints_require_form=True,
    has_outbound_guard=True,
    backchannel_uses_fetch=True,
    applications_have_secret=False,
    email_blocklist_is_public=False,
    has_grant_limit_event=True,
    has_actions=True,
)
# The development head: what is to come after 1.42.0.
LOGTO_HEAD = replace(
    LOGTO_1_42,
    name="head",
    signs_with_every_curve=True,
    refuses_suspended_users=True,
    exchange_refuses_id_tokens=True,
    exchange_refuses_third_party_tokens=True,
    has_trusted_devices_scope=True,
    has_cimd=True,
    users_have_cimd_client_id=True,
    members_take_empty_role_lists=True,
)

VERSIONS = {version.name: version for version in (LOGTO_1_41, LOGTO_1_42, LOGTO_HEAD)}
DEFAULT = LOGTO_1_42.name

"""Sessions, the authorization requests that they answer, and the grants that users gave.

Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import ids
from .application_record import Application
from .mfa_rules import MfaSetUp
from .verified_users import VerifiedUser

INTERACTION_TTL = 3600
# The key of the mark that Logto checked whether the user may use the application. It does so when a client that has a
# grant asks again, and hands the mark to the consent that follows, in place of a sign-in.
ACCESS_CHECKED = "appLevelAccessControl"
GRANT_TTL = 180 * 86400


@dataclass(frozen=True)
class AuthorizationRequest:
    """An authorization request that passed all checks. `params` are its parameters as sent."""

    client: Application
    redirect_uri: str
    scopes: tuple[str, ...]
    oidc_scopes: tuple[str, ...]
    resources: tuple[str, ...]
    prompts: frozenset[str]
    max_age: int | None
    hinted_sub: str | None
    params: Mapping[str, str]
    pushed_request_id: str | None = None
    grant_id: str | None = None
    """The grant of this request alone, for a dynamic client. Others have one grant in each session."""

    @property
    def wants_auth_time(self) -> bool:
        """Whether the ID token has `auth_time`: only after `prompt=login` or `max_age`."""
        return "login" in self.prompts or self.max_age is not None


@dataclass
class Authorization:
    """The part of a client in a session. `persists_logout` is true once a code had `offline_access`."""

    sid: str
    grant_id: str | None = None
    persists_logout: bool = False


@dataclass
class LogoutDetails:
    """The data that `/session/end` stores for its confirm step."""

    xsrf: str
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None


@dataclass
class Session:
    """A browser's session with Logto. `id` is in the cookie and changes; `uid` does not change."""

    id: str
    uid: str
    expires_at: int
    account_id: str | None = None
    login_at: int = 0
    authorizations: dict[str, Authorization] = field(default_factory=dict)
    logout: LogoutDetails | None = None


@dataclass(frozen=True)
class SessionExtension:
    """How the user of a session signed in, as the APIs and scripts for custom claims see it.

    Logto saves it at a consent, not at the sign-in. So a later sign-in in the session without a consent leaves the
    older one. It stays until the session is ended or the user is suspended: a session that only expired leaves it to
    its refresh tokens. After a consent without a sign-in it does not say how the user signed in, see `ACCESS_CHECKED`.
    """

    account_id: str
    client_id: str
    submission: dict[str, Any]

    @property
    def sign_in(self) -> dict[str, Any] | None:
        """How the user signed in, or None."""
        return None if ACCESS_CHECKED in self.submission else self.submission


@dataclass
class Interaction:
    """A sign-in that waits for the user. `solved` are the completed prompts, `account_id` is the user who signed in.

    `social_state` is the `state` of a sign-in in progress at a social provider, and `verified` is a user whose sign-in
    is not complete yet. `records` are the verification records by type, as Logto stores them, `mfa` is what the sign-in
    sets up. `submission` says how the user signed in; the interaction of a consent that follows inherits it.
    """

    uid: str
    request: AuthorizationRequest
    prompt: str
    session_uid: str | None
    expires_at: int
    csrf_token: str = field(default_factory=ids.opaque_token)
    solved: frozenset[str] = frozenset()
    account_id: str | None = None
    social_state: str | None = None
    verified: VerifiedUser | None = None
    records: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    mfa: MfaSetUp = field(default_factory=MfaSetUp)
    submission: dict[str, Any] | None = None
    missing_scopes: list[str] = field(default_factory=list)
    missing_resource_scopes: dict[str, list[str]] = field(default_factory=dict)

    def begin(self, record: dict[str, Any]) -> None:
        """Begin to sign a user in, whom the record proves. Forget what an earlier attempt proved and set up."""
        self.verified, self.records, self.mfa = None, {}, MfaSetUp()
        self.add_record(record)

    def add_record(self, record: dict[str, Any]) -> None:
        """Add a verification record. It replaces that of the same type."""
        self.records[str(record["type"])] = record


@dataclass
class Grant:
    """A user's grant to a client: OIDC scopes, and permissions by resource indicator, in the order granted.

    `rejected_resource_scopes` are those that the client asked for and the user cannot give. Logto does not ask for them
    again. `organization_id` is the organization that the user chose for a dynamic client, and `dynamic_client_name` the
    name that the client had then: a later document does not change it.
    """

    id: str
    account_id: str
    client_id: str
    expires_at: int
    created_at: int
    oidc_scopes: list[str] = field(default_factory=list)
    resource_scopes: dict[str, list[str]] = field(default_factory=dict)
    rejected_resource_scopes: dict[str, list[str]] = field(default_factory=dict)
    organization_id: str | None = None
    dynamic_client_name: str | None = None

    def add(self, oidc_scopes: Iterable[str], resource_scopes: dict[str, list[str]]) -> None:
        self.oidc_scopes += [scope for scope in oidc_scopes if scope not in self.oidc_scopes]
        for indicator, scopes in resource_scopes.items():
            granted = self.resource_scopes.setdefault(indicator, [])
            granted += [scope for scope in scopes if scope not in granted]

    def reject(self, resource_scopes: Mapping[str, Iterable[str]]) -> None:
        """Remember what the user cannot give to the client."""
        for indicator, scopes in resource_scopes.items():
            rejected = self.rejected_resource_scopes.setdefault(indicator, [])
            rejected += [scope for scope in scopes if scope not in rejected]

    def granted_oidc_scopes(self, wanted: Iterable[str]) -> list[str]:
        """Return the wanted scopes that are granted, in the order of the grant."""
        wanted = set(wanted)
        return [scope for scope in self.oidc_scopes if scope in wanted]

    def granted_resource_scopes(self, indicator: str, wanted: Iterable[str]) -> list[str]:
        wanted = set(wanted)
        return [scope for scope in self.resource_scopes.get(indicator, []) if scope in wanted]

"""The versions of Logto: what tells them apart, and what each means for a site.

Logto does not publish its version. `EVIDENCE` has a row for each difference in its public answers, and `CONSEQUENCES` a
row for each difference that matters to a site. A new version of Logto is a new `Version` with rows of its own.

Source: HTTP recorded from Logto 1.41.0 and from the development head after 1.42.0, Logto's change log, and the source
of its releases 1.40 to 1.42. `docs/reference/logto-versions.md` names the source of each statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from logto_auth.conf import conf
from logto_auth.tenant.site import OUTBOUND_GUARD_OFF
from logto_auth.tenant.webhook_events import events_in

__all__ = [
    "CONSEQUENCES",
    "EVIDENCE",
    "Answers",
    "Consequence",
    "Evidence",
    "LogtoVersion",
    "Version",
    "deduce",
    "has_dynamic_app",
]


class Version(IntEnum):
    """The versions that can be distinguished, in order."""

    OLDER = 0
    """Before 1.41."""
    V1_41 = 1
    V1_42 = 2
    HEAD = 3
    """The development head after 1.42.0, and every later version."""


@dataclass(frozen=True)
class Answers:
    """What a Logto has published. A value is None if it could not be read, or is not a JSON object."""

    discovery: Mapping[str, Any] | None = None
    oauth_metadata: Mapping[str, Any] | None = None
    """The document at `/oidc/.well-known/oauth-authorization-server` (RFC 8414)."""
    sign_in_experience: Mapping[str, Any] | None = None
    """The document at `/api/.well-known/sign-in-exp`."""
    openapi: Mapping[str, Any] | None = None
    """The document at `/api/.well-known/management.openapi.json`."""
    token_id_length: int | None = None
    """The length of `jti` in an access token."""


@dataclass(frozen=True)
class Evidence:
    """One difference. `is_seen` returns None if the answer that it needs is missing.

    Where it is seen, Logto is `since` or newer. Where it is not seen, Logto is older, unless `absence` is empty.
    """

    presence: str
    """What is seen, for the report."""
    absence: str
    """What is seen instead in older versions. Empty if the difference may be missing for other reasons."""
    since: Version
    is_seen: Callable[[Answers], bool | None]


def _in_discovery(name: str, value: str) -> Callable[[Answers], bool | None]:
    def is_seen(answers: Answers) -> bool | None:
        values = (answers.discovery or {}).get(name)
        return value in values if isinstance(values, list) else None

    return is_seen


def _lacks_request_parameter(answers: Answers) -> bool | None:
    return "request_parameter_supported" not in answers.discovery if answers.discovery else None


def _has_username_policy(answers: Answers) -> bool | None:
    return "usernamePolicy" in answers.sign_in_experience if answers.sign_in_experience else None


def _hides_blocklist(answers: Answers) -> bool | None:
    return "emailBlocklistPolicy" not in answers.sign_in_experience if answers.sign_in_experience else None


def has_dynamic_app(discovery: Mapping[str, Any]) -> bool:
    """Return whether the dynamic app is on. Then the outbound guard is on, too, because Logto requires it."""
    return discovery.get("client_id_metadata_document_supported") is True


def _has_grant_event(answers: Answers) -> bool | None:
    events = events_in(answers.openapi)
    return "Grant.LimitExceeded" in events if events else None


def _has_cimd(answers: Answers) -> bool | None:
    # A document with events is complete.
    return "/api/configs/cimd" in (answers.openapi or {})["paths"] if events_in(answers.openapi) else None


def _has_long_ids(answers: Answers) -> bool | None:
    known = {21: False, 43: True}
    return known.get(answers.token_id_length or 0)


EVIDENCE = (
    Evidence(
        "usernamePolicy in the public sign-in experience",
        "no usernamePolicy in the public sign-in experience",
        Version.V1_41,
        _has_username_policy,
    ),
    Evidence(
        "the algorithm Ed25519 in discovery",
        "no algorithm Ed25519 in discovery",
        Version.V1_42,
        _in_discovery("token_endpoint_auth_signing_alg_values_supported", "Ed25519"),
    ),
    Evidence(
        "no request_parameter_supported in discovery",
        "request_parameter_supported in discovery",
        Version.V1_42,
        _lacks_request_parameter,
    ),
    # The released 1.42.0 does not have this scope.
    Evidence(
        "the scope urn:logto:scope:trusted_devices in discovery",
        "",
        Version.V1_42,
        _in_discovery("scopes_supported", "urn:logto:scope:trusted_devices"),
    ),
    # A proxy may refuse the path.
    Evidence("authorization server metadata", "", Version.V1_42, lambda answers: answers.oauth_metadata is not None),
    Evidence(
        "no emailBlocklistPolicy in the public sign-in experience",
        "emailBlocklistPolicy in the public sign-in experience",
        Version.V1_42,
        _hides_blocklist,
    ),
    Evidence("token ids of 43 characters", "token ids of 21 characters", Version.V1_42, _has_long_ids),
    Evidence(
        "the webhook event Grant.LimitExceeded in the OpenAPI document",
        "no webhook event Grant.LimitExceeded in the OpenAPI document",
        Version.V1_42,
        _has_grant_event,
    ),
    Evidence(
        "the dynamic app (CIMD) in the OpenAPI document",
        "no dynamic app (CIMD) in the OpenAPI document",
        Version.HEAD,
        _has_cimd,
    ),
    # Discovery shows it only while it is on.
    Evidence(
        "the dynamic app (CIMD) in discovery",
        "",
        Version.HEAD,
        lambda answers: has_dynamic_app(answers.discovery or {}),
    ),
)


@dataclass(frozen=True)
class LogtoVersion:
    """A Logto is between `low` and `high`, both included.

    `evidence` has the first row for each end. `contradictions` are all rows, if together they exclude every version.
    """

    low: Version = Version.OLDER
    high: Version = Version.HEAD
    evidence: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return NAMES.get((self.low, self.high), "unknown")

    def may_be(self, version: Version) -> bool:
        """Return whether this may be `version` or a newer one."""
        return self.high >= version

    def is_at_least(self, version: Version) -> bool:
        """Return whether this is `version` or a newer one for certain."""
        return self.low >= version


NAMES = {
    (Version.OLDER, Version.OLDER): "older than 1.41",
    (Version.OLDER, Version.V1_41): "1.41 or older",
    (Version.OLDER, Version.V1_42): "1.42 or older",
    (Version.V1_41, Version.V1_41): "1.41",
    (Version.V1_41, Version.V1_42): "1.41 or 1.42",
    (Version.V1_41, Version.HEAD): "1.41 or newer",
    (Version.V1_42, Version.V1_42): "1.42",
    (Version.V1_42, Version.HEAD): "1.42 or newer",
    (Version.HEAD, Version.HEAD): "newer than 1.42.0",
}


def deduce(answers: Answers) -> LogtoVersion:
    """Return what the answers tell about the version. Contradicting answers tell nothing."""
    found = [(evidence, evidence.is_seen(answers)) for evidence in EVIDENCE]
    seen = [evidence for evidence, is_seen in found if is_seen]
    missing = [evidence for evidence, is_seen in found if is_seen is False and evidence.absence]
    low = max((evidence.since for evidence in seen), default=Version.OLDER)
    high = min((Version(evidence.since - 1) for evidence in missing), default=Version.HEAD)
    if low > high:
        return LogtoVersion(
            contradictions=(*(each.presence for each in seen), *(each.absence for each in missing)),
        )
    decisive = [each.presence for each in seen if each.since == low]
    excluding = [each.absence for each in missing if each.since == high + 1]
    return LogtoVersion(low, high, (*decisive[:1], *excluding[:1]))


@dataclass(frozen=True)
class Consequence:
    """What a version means for a site: `text` from `since` on, and `before` in older versions."""

    since: Version
    text: str
    before: str = ""
    concerns: Callable[[], bool] = lambda: True
    """Whether it concerns this site, by its settings."""


CONSEQUENCES = (
    Consequence(
        Version.V1_42,
        f"The outbound guard is on, unless Logto runs with {OUTBOUND_GUARD_OFF}: no back-channel logout reaches a "
        "loopback or private address. Webhooks do.",
        "There is no outbound guard: back-channel logouts reach private addresses.",
    ),
    Consequence(
        Version.V1_42,
        "ID tokens have neither at_hash nor the header typ. This package needs neither. Other libraries may.",
    ),
    Consequence(
        Version.V1_42,
        "The revocation of an opaque access token ends its grant, with the refresh token.",
        "The revocation of an access token leaves the refresh token usable.",
    ),
    Consequence(
        Version.V1_42, "Actions exist: scripts in the sign-in, for example to accept passwords of another site."
    ),
    Consequence(
        Version.HEAD,
        "The dynamic app (CIMD) exists, off by default. With it, apps that are not registered in the tenant sign users "
        "in, and their client_id is a URL.",
    ),
    Consequence(
        Version.HEAD,
        "A signing key on P-256 or P-521 signs with ES256 or ES512. LOGTO_SIGNING_ALGORITHMS does not contain both.",
        "Later versions sign with ES256 or ES512 if the signing key is on P-256 or P-521. LOGTO_SIGNING_ALGORITHMS "
        "does not contain both.",
        lambda: not {"ES256", "ES512"} <= set(conf.signing_algorithms),
    ),
)

"""The webhook events of Logto, and the check that a declaration names only events that exist.

Logto refuses a webhook with an unknown event as a whole. Newer versions have more events, so a name that is not in the
lists of this module is looked up in the OpenAPI document of the tenant.

Source: the OpenAPI document of Logto 1.42, and the source of Logto 1.41 to 1.42.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from logto_auth.exceptions import ManagementAPIError, ProviderError, ProviderUnreachable
from logto_auth.management_api import ManagementAPI

__all__ = ["KNOWN_EVENTS", "check_events", "events_in", "unknown_event_error"]

OPENAPI_DOCUMENT = ".well-known/management.openapi.json"

# The events that every supported version has.
EVENTS_OF_ALL_VERSIONS = frozenset(
    {
        "PostRegister",
        "PostSignIn",
        "PostSignInAdaptiveMfaTriggered",
        "PostResetPassword",
        *(f"User.{change}" for change in ("Created", "Deleted", "Data.Updated", "SuspensionStatus.Updated")),
        *(f"Role.{change}" for change in ("Created", "Deleted", "Data.Updated", "Scopes.Updated")),
        *(f"Scope.{change}" for change in ("Created", "Deleted", "Data.Updated")),
        *(f"Organization.{change}" for change in ("Created", "Deleted", "Data.Updated", "Membership.Updated")),
        *(f"OrganizationRole.{change}" for change in ("Created", "Deleted", "Data.Updated", "Scopes.Updated")),
        *(f"OrganizationScope.{change}" for change in ("Created", "Deleted", "Data.Updated")),
        "Identifier.Lockout",
        "Message.RateLimited",
    }
)
# Since 1.42: `Grant.LimitExceeded`. In development after 1.42, and not in a release: the events of trusted devices.
LATER_EVENTS = frozenset({"Grant.LimitExceeded", "TrustedDevice.Created", "TrustedDevice.Deleted"})
KNOWN_EVENTS = EVENTS_OF_ALL_VERSIONS | LATER_EVENTS


def check_events(api: ManagementAPI, declared: Iterable[str], existing: Iterable[str]) -> list[str]:
    """Return a sentence for each declared event that the tenant of `api` does not have.

    `existing` are events of its webhook, which Logto has accepted. The OpenAPI document of the tenant is read only if
    an event is not in all versions. Raise ProviderUnreachable.
    """
    to_confirm = [event for event in declared if event not in EVENTS_OF_ALL_VERSIONS.union(existing)]
    if not to_confirm:
        return []
    events = _events_of_tenant(api)
    return [unknown_event_error(event, events) for event in to_confirm if event not in events]


def unknown_event_error(event: str, events: Collection[str] = KNOWN_EVENTS) -> str:
    """Return the sentence about an event that is not one of `events`."""
    similar = get_close_matches(event, sorted(events), n=1)
    advice = f'Did you mean "{similar[0]}"?' if similar else "The reference of webhooks lists the events."
    return f'Logto has no webhook event "{event:.80}". {advice}'


def _events_of_tenant(api: ManagementAPI) -> Collection[str]:
    """Return the events in the OpenAPI document of the tenant, or the known events if there is none."""
    try:
        document = api.request("GET", OPENAPI_DOCUMENT)
    except ProviderUnreachable:
        raise
    except (ManagementAPIError, ProviderError):
        return KNOWN_EVENTS
    return events_in(document) or KNOWN_EVENTS


def events_in(document: Any) -> frozenset[str]:
    """Return the webhook events that an OpenAPI document names; an empty set if it names none."""
    try:
        body = document["paths"]["/api/hooks"]["post"]["requestBody"]["content"]["application/json"]
        return frozenset(map(str, body["schema"]["properties"]["events"]["items"]["enum"]))
    except (KeyError, TypeError):
        return frozenset()

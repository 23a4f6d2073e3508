"""The limit of grants of one user to one application, and its webhook event."""

from __future__ import annotations

from flask import request

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application

from .http import caller_ip


def end_oldest_grants(provider: Provider, client: Application, sub: str) -> None:
    """End the oldest grants beyond the limit of the application, and send `Grant.LimitExceeded`."""
    limit = client.max_allowed_grants
    if limit is None:
        return
    grants = list(provider.instances.grants.values())
    theirs = [grant for grant in grants if (grant.client_id, grant.account_id) == (client.id, sub)]
    ended = [grant.id for grant in theirs[:-limit]]
    for grant_id in ended:
        provider.instances.revoke_grant(grant_id)
    if ended:
        _announce(provider, client, sub, ended, len(theirs))


def _announce(provider: Provider, client: Application, sub: str, ended: list[str], count: int) -> None:
    """Send the event. Webhooks of versions without it cannot subscribe to it."""
    provider.webhooks.announce(
        {
            "event": "Grant.LimitExceeded",
            "createdAt": provider.webhooks.now(),
            "ip": caller_ip(),
            "userAgent": request.headers.get("User-Agent", ""),
            "application": {
                "id": client.id,
                "type": client.type,
                "name": client.name,
                "description": client.description,
            },
            "userId": sub,
            "applicationId": client.id,
            "revokedGrantIds": ended,
            "maxAllowedGrants": client.max_allowed_grants,
            "preRevocationActiveGrantCount": count,
        }
    )

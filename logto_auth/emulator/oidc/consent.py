"""Grants: adding the scopes that the user consented to."""

from __future__ import annotations

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import GRANT_TTL, Grant, Interaction, Session


def grant_missing(provider: Provider, interaction: Interaction, session: Session) -> None:
    """Add the missing scopes of the interaction to the client's grant in this session. Create the grant if needed."""
    client = interaction.request.client
    authorization = provider.authorization_in(session, client.id)
    grant = provider.instances.find_grant(authorization.grant_id) or _new_grant(provider, client, session)
    authorization.grant_id = grant.id
    grant.add(interaction.missing_scopes, interaction.missing_resource_scopes)


def _new_grant(provider: Provider, client: Application, session: Session) -> Grant:
    assert session.account_id is not None  # the user signed in before
    now = provider.clock.now()
    grant = Grant(provider.new_uid(), session.account_id, client.id, expires_at=now + GRANT_TTL, created_at=now)
    provider.instances.grants[grant.id] = grant
    _drop_oldest_grants(provider, client, session.account_id)
    return grant


def _drop_oldest_grants(provider: Provider, client: Application, sub: str) -> None:
    if client.max_allowed_grants is None:
        return
    grants = provider.instances.grants.values()
    theirs = [grant for grant in grants if (grant.client_id, grant.account_id) == (client.id, sub)]
    for grant in theirs[: -client.max_allowed_grants]:
        provider.instances.revoke_grant(grant.id)

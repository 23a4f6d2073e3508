"""Grants: adding the scopes that the user consented to."""

from __future__ import annotations

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import GRANT_TTL, Grant, Interaction, Session, SessionExtension

from .grant_limit import end_oldest_grants


def grant_missing(provider: Provider, interaction: Interaction, session: Session) -> None:
    """Add the missing scopes of the interaction to the client's grant in this session. Create the grant if needed.

    What preceded the consent is saved for the session.
    """
    client = interaction.request.client
    authorization = provider.authorization_in(session, client.id)
    grant = provider.instances.find_grant(authorization.grant_id) or _new_grant(provider, client, session)
    authorization.grant_id = grant.id
    grant.add(interaction.missing_scopes, interaction.missing_resource_scopes)
    if interaction.submission is not None:
        extension = SessionExtension(grant.account_id, client.id, interaction.submission)
        provider.instances.session_extensions[session.uid] = extension


def _new_grant(provider: Provider, client: Application, session: Session) -> Grant:
    assert session.account_id is not None  # the user signed in before
    now = provider.clock.now()
    grant = Grant(provider.new_uid(), session.account_id, client.id, expires_at=now + GRANT_TTL, created_at=now)
    provider.instances.grants[grant.id] = grant
    end_oldest_grants(provider, client, session.account_id)
    return grant

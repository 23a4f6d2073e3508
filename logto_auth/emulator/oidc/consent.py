"""Grants: adding the scopes that the user consented to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import unique
from logto_auth.emulator.state.sessions import GRANT_TTL, Grant, Interaction, Session, SessionExtension

from .grant_limit import end_oldest_grants

_ResourceScopes = dict[str, list[str]]


def grant_missing(
    provider: Provider, interaction: Interaction, session: Session, *, organization_ids: Iterable[str] = ()
) -> None:
    """Add the missing scopes of the interaction to the client's grant in this session. Create the grant if needed.

    A dynamic client gets a new grant for each request. `organization_ids` are the organizations in which a client of
    others may act, and what it asks for there is granted too. What preceded the consent is saved for the session.
    """
    client, organization_ids = interaction.request.client, list(organization_ids)
    authorization = provider.authorization_in(session, client.id)
    grant_id = interaction.request.grant_id if client.is_dynamic else authorization.grant_id
    grant = provider.instances.find_grant(grant_id) or _new_grant(provider, client, session)
    authorization.grant_id = grant.id
    granted, rejected = _split(provider, interaction, grant.account_id, organization_ids)
    grant.add(interaction.missing_scopes, granted)
    grant.reject(rejected)
    if client.is_dynamic:
        grant.organization_id = organization_ids[0] if organization_ids else None
        grant.dynamic_client_name = client.name[:256] or client.id
        interaction.request = replace(interaction.request, grant_id=grant.id)
    if interaction.submission is not None:
        extension = SessionExtension(grant.account_id, client.id, interaction.submission)
        provider.instances.session_extensions[session.uid] = extension


def _split(
    provider: Provider, interaction: Interaction, sub: str, organization_ids: list[str]
) -> tuple[_ResourceScopes, _ResourceScopes]:
    """Return which missing permissions are granted, and which are rejected, by indicator.

    A client of others gets those that the user has by global roles, and those by roles in the chosen organizations. If
    a registered one gets nothing of a resource, nothing is rejected either, so that Logto asks again.
    """
    client, missing = interaction.request.client, interaction.missing_resource_scopes
    if not client.is_third_party:
        return missing, {}
    granted: _ResourceScopes = {}
    for indicator, scopes in missing.items():
        given = rbac.consented_scopes(provider.tenant, sub, indicator, client=client, organization_ids=organization_ids)
        if allowed := [scope for scope in unique(scopes) if scope in given]:
            granted[indicator] = allowed
    rejected = {
        indicator: [scope for scope in scopes if scope not in granted.get(indicator, ())]
        for indicator, scopes in missing.items()
        if client.is_dynamic or indicator in granted
    }
    return granted, rejected


def _new_grant(provider: Provider, client: Application, session: Session) -> Grant:
    assert session.account_id is not None  # the user signed in before
    now = provider.clock.now()
    grant = Grant(provider.new_uid(), session.account_id, client.id, expires_at=now + GRANT_TTL, created_at=now)
    provider.instances.grants[grant.id] = grant
    end_oldest_grants(provider, client, session.account_id)
    return grant

"""The consent page, which only users of third-party applications see."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from logto_auth.emulator.oidc import cookies
from logto_auth.emulator.oidc.consent import grant_missing
from logto_auth.emulator.oidc.http import see_other
from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.records import Scope
from logto_auth.emulator.state.sessions import Interaction

from .interactions import UnknownSession, page, signed_in_user, submitted_interaction, waiting_interaction
from .one_time_token_pages import detour_before_consent

blueprint = Blueprint("consent_page", __name__)


@blueprint.get("/consent")
def show_consent() -> BaseResponse:
    """Show the scopes that a third-party application requests. For a first-party application, grant them at once."""
    provider = current()
    interaction = waiting_interaction(provider, "consent")
    if detour := detour_before_consent(provider, interaction):
        return detour
    if not interaction.request.client.is_third_party:
        return _finish_consent(provider, interaction)
    user = signed_in_user(provider)
    organizations = rbac.memberships(provider.tenant, user.id)
    asks_organizations = "urn:logto:scope:organizations" in interaction.request.scopes
    return page(
        "consent.html",
        interaction=interaction,
        user=user,
        organizations=organizations if asks_organizations else [],
        resources=_resources(provider, interaction),
    )


def _resources(provider: Provider, interaction: Interaction) -> list[tuple[str, list[Scope]]]:
    """Return the names of the API resources, each with the requested permissions and their descriptions."""
    return [
        (resource.name, [resource.scopes.get(name, Scope(name)) for name in names])
        if (resource := provider.tenant.find_resource(indicator))
        else (indicator, [Scope(name) for name in names])
        for indicator, names in interaction.missing_resource_scopes.items()
    ]


@blueprint.post("/consent")
def submit_consent() -> BaseResponse:
    """Grant the scopes, or cancel. As in Logto, Cancel redirects without `error`, `state` and `iss`."""
    provider = current()
    interaction = submitted_interaction(provider, "consent")
    if request.form.get("decision") != "authorize":
        return see_other(interaction.request.redirect_uri)
    user, client = signed_in_user(provider), interaction.request.client
    mine = {organization.id for organization in rbac.memberships(provider.tenant, user.id)}
    chosen = mine.intersection(request.form.getlist("organization_id"))
    provider.tenant.organization_consents |= {(client.id, user.id, each) for each in chosen}
    return _finish_consent(provider, interaction)


def _finish_consent(provider: Provider, interaction: Interaction) -> BaseResponse:
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if session is None:
        raise UnknownSession
    grant_missing(provider, interaction, session)
    interaction.solved |= {"consent"}
    return redirect(f"/oidc/auth/{interaction.uid}")

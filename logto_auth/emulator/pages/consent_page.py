"""The consent page, which only users of third-party applications and of dynamic clients see."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from logto_auth.emulator.oidc import cookies, errors
from logto_auth.emulator.oidc.client_authentication import find_client
from logto_auth.emulator.oidc.client_redirects import allows_redirect_uri
from logto_auth.emulator.oidc.consent import grant_missing
from logto_auth.emulator.oidc.http import error_response, see_other
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
    if client.is_dynamic and (refusal := _outdated(provider, interaction)):
        return refusal
    mine = [organization.id for organization in rbac.memberships(provider.tenant, user.id)]
    chosen = [each for each in mine if each in request.form.getlist("organization_id")]
    if client.is_dynamic:
        if len(chosen) > 1:
            error = errors.invalid_request("at most one organization can be consented to a CIMD client")
            return error_response(error)
        return _finish_consent(provider, interaction, chosen)
    consents = provider.tenant.organization_consents
    consents |= {(client.id, user.id, each) for each in chosen}
    return _finish_consent(provider, interaction, [each for each in mine if (client.id, user.id, each) in consents])


def _outdated(provider: Provider, interaction: Interaction) -> BaseResponse | None:
    """Return an error if the document of the client has changed, and does not have the redirect URI any more."""
    try:
        client = find_client(provider, interaction.request.client.id)
    except errors.OIDCError as error:
        return error_response(error)
    if allows_redirect_uri(client, interaction.request.redirect_uri):
        return None
    description = "redirect_uri must still be allowed by the client metadata document"
    return error_response(errors.OIDCError("invalid_redirect_uri", description))


def _finish_consent(provider: Provider, interaction: Interaction, organization_ids: Sequence[str] = ()) -> BaseResponse:
    session = provider.instances.find_session(cookies.read(cookies.SESSION))
    if session is None:
        raise UnknownSession
    grant_missing(provider, interaction, session, organization_ids=organization_ids)
    interaction.solved |= {"consent"}
    return redirect(f"/oidc/auth/{interaction.uid}")

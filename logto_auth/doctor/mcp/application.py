"""The application with which the doctor signs in: a public one that is registered, or the URL of a document (CIMD)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.doctor.findings import Finding, failure, ok, skipped, warning
from logto_auth.exceptions import LogtoError, ManagementAPIError, ProviderError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.errors import single_line
from logto_auth.oidc.http import HTTPClient
from logto_auth.tenant.declaration import TenantDeclaration
from logto_auth.tenant.site import load_declaration

from .callback import DEFAULT_REDIRECT_URI, any_port, is_loopback_redirect

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application, UserConsentScopes

__all__ = ["Chosen", "choose_application", "is_url"]

REGISTER = (
    "Declare a ThirdPartyApplication in LOGTO_TENANT and run manage.py logto_setup, or pass --client-id with the App "
    "ID of an application of the type Native."
)
PUBLIC_TYPES = ("Native", "SPA")


@dataclass(frozen=True)
class Chosen:
    """An application, and the redirect URI at which the doctor can listen for it."""

    client_id: str
    redirect_uri: str


@dataclass(frozen=True)
class Server:
    """What an MCP server said about itself. `accepts_urls` is about its Logto."""

    resource: str
    """The indicator of its API resource."""
    required_scopes: frozenset[str]
    """The permissions that each request requires."""
    accepts_urls: bool
    """Whether Logto accepts the URL of a document as a client id."""


def is_url(client_id: str) -> bool:
    """Return whether a client id is the URL of a client metadata document."""
    return client_id.startswith(("https://", "http://"))


def choose_application(
    http: HTTPClient, client_id: str, redirect_uri: str, server: Server
) -> Iterator[Finding | Chosen]:
    """Yield findings, and the application if there is one with which the doctor can sign in at `server`.

    `client_id` and `redirect_uri` are given by the operator, or empty.
    """
    api = management_api() if conf.m2m_app_id and conf.m2m_app_secret else None
    if is_url(client_id):
        yield from _from_document(http, client_id, redirect_uri, server, api)
    elif api is not None:
        try:
            yield from _registered(api, client_id, redirect_uri, server)
        except LogtoError as error:
            yield warning("mcp-application", str(error), "Correct this, or pass --client-id.")
            if client_id:
                yield Chosen(client_id, redirect_uri or DEFAULT_REDIRECT_URI)
    elif client_id:
        yield Chosen(client_id, redirect_uri or DEFAULT_REDIRECT_URI)
    else:
        yield skipped(
            "mcp-application",
            "No sign-in was tried, because no application is known: --client-id is not given, and LOGTO_M2M_APP_ID or "
            "LOGTO_M2M_APP_SECRET is not set.",
        )


# Registered applications


def _registered(api: ManagementAPI, client_id: str, redirect_uri: str, server: Server) -> Iterator[Finding | Chosen]:
    application = _by_id(api, client_id) if client_id else _declared(api, load_declaration(), server.resource)
    if application is None and client_id:
        yield failure(
            "mcp-application",
            f"The tenant at {api.base_url} has no application {client_id!r:.200}.",
            "Copy the App ID from the Logto Console.",
        )
        return
    if application is None:
        yield skipped(
            "mcp-application",
            "No sign-in was tried, because the tenant has no third-party application that LOGTO_TENANT declares. "
            f"{REGISTER}",
        )
        return
    label = f'"{single_line(application["name"])}" ({application["id"]})'
    if application["type"] not in PUBLIC_TYPES:
        yield failure(
            "mcp-application",
            f"The application {label} has the type {application['type']}, which has a secret. The doctor signs in as "
            "clients do that have none.",
            "Pass the App ID of an application of the type Native or Single page app.",
        )
        return
    registered = _loopback(application["oidcClientMetadata"].get("redirectUris", []))
    uri = redirect_uri or (any_port(registered) if application["type"] == "Native" else registered)
    if not uri:
        yield failure(
            "mcp-application",
            f"The application {label} has no redirect URI on this machine, at which the doctor could listen.",
            f"Add the redirect URI {DEFAULT_REDIRECT_URI} to the application. A Native one may then use any port.",
        )
        return
    party = "third-party" if application["isThirdParty"] else "first-party"
    yield ok("mcp-application", f"The client is the {party} application {label}.")
    if application["isThirdParty"]:
        yield from _ceiling(api.applications.user_consent_scopes(application["id"]), server)
    yield Chosen(application["id"], uri)


def _by_id(api: ManagementAPI, id: str) -> Application | None:
    try:
        return api.applications.get(id)
    except ManagementAPIError as error:
        if not error.is_not_found:
            raise
        return None


def _declared(api: ManagementAPI, declaration: TenantDeclaration, resource: str) -> Application | None:
    """Return the declared third-party application that fits best: one without a secret, for this resource."""
    declared = sorted(
        (each for each in declaration.third_party_applications if each.type in PUBLIC_TYPES),
        key=lambda each: resource not in each.scopes,
    )
    if not declared:
        return None
    stored = {each["name"]: each for each in api.applications.all() if each["isThirdParty"]}
    return next((stored[each.name] for each in declared if each.name in stored), None)


def _ceiling(allowed: UserConsentScopes, server: Server) -> Iterator[Finding]:
    """Yield whether a client may request what the server requires. Logto leaves out the rest without an error."""
    kinds = [*allowed["resourceScopes"], *allowed["organizationResourceScopes"]]
    scopes = [each["scopes"] for each in kinds if each["resource"]["indicator"] == server.resource]
    names = {scope["name"] for each in scopes for scope in each}
    missing = server.required_scopes - names
    if missing or not names:
        what = ", ".join(sorted(missing)) or "any permission"
        yield warning(
            "mcp-application",
            f"The client may not request {what} of {server.resource}. Logto leaves it out without an error.",
            "Add the permissions to the scopes of the ThirdPartyApplication or of DynamicClients in LOGTO_TENANT, and "
            "run manage.py logto_setup.",
        )


def _loopback(uris: Sequence[Any]) -> str:
    return next((each for each in uris if isinstance(each, str) and is_loopback_redirect(each)), "")


# Client metadata documents


def _from_document(
    http: HTTPClient, url: str, redirect_uri: str, server: Server, api: ManagementAPI | None
) -> Iterator[Finding | Chosen]:
    if not server.accepts_urls:
        yield failure(
            "mcp-application",
            "Logto does not accept the URL of a document as a client id, because dynamic clients (CIMD) are off.",
            "Turn them on with dynamic_clients=DynamicClients(...) in LOGTO_TENANT. Released versions of Logto, up to "
            f"1.42, do not have them. {REGISTER}",
        )
        return
    uri = redirect_uri
    try:
        response = http.get(url)
        document = response.json_object() if response.status == 200 else {}
    except ProviderError as error:
        yield warning(
            "mcp-application",
            f"This machine cannot read the client metadata document: {error}",
            "Check its URL. Logto reads the document itself.",
        )
        uri = redirect_uri or DEFAULT_REDIRECT_URI
    else:
        if document.get("client_id") != url:
            yield failure(
                "mcp-application",
                f"{url} answered {response.status} and is no client metadata document with this URL as its client_id.",
                "Check the URL of the document, and its member client_id.",
            )
            return
        uris = document.get("redirect_uris")
        # Logto accepts each port.
        uri = redirect_uri or any_port(_loopback(uris if isinstance(uris, list) else []))
    if not uri:
        yield failure(
            "mcp-application",
            f"The document {url} has no redirect URI on this machine, at which the doctor could listen.",
            f"Use a document with the redirect URI {DEFAULT_REDIRECT_URI}.",
        )
        return
    yield ok("mcp-application", f"The client is {url}, which Logto reads itself.")
    if api is not None:
        try:
            yield from _ceiling(api.dynamic_clients.user_consent_scopes(), server)
        except LogtoError as error:
            yield warning("mcp-application", str(error), "Correct this to check what dynamic clients may request.")
    yield Chosen(url, uri)

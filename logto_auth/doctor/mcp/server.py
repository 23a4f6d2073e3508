"""Findings about an MCP server before the sign-in: its 401, the metadata that it names, and the metadata of Logto."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from logto_auth.conf import conf
from logto_auth.doctor.findings import Finding, failure, ok, warning
from logto_auth.oidc.errors import single_line

from .transcript import Exchange, Run

__all__ = ["logto_findings", "metadata_findings", "resource_of", "server_findings", "supports_url_clients"]

PROTECT = "Protect the server with logto_auth.contrib.mcp: auth=logto_mcp(...)."
DECLARE = "Declare the URL of the server in LOGTO_API_RESOURCES, and include logto_auth.urls or logto_auth.api_urls."
EXEMPT = "Exempt the URL from it: an MCP server answers 401 itself. See the log of the server."
REMEDIES = {
    404: "Correct the URL: it is that of the MCP server itself, such as https://shop.example/mcp.",
    405: "Correct the URL: an MCP server answers POST.",
    403: "Check that the URL is that of the MCP server itself. If it is, a middleware refuses the request, for example "
    "that against CSRF: exempt the view of the server from it.",
    400: "Add the host of the URL to ALLOWED_HOSTS, and see the log of the server.",
    503: "The server cannot ask Logto for its keys. Run manage.py logto_doctor on the machine of the server.",
}


def resource_of(run: Run) -> str:
    """Return the indicator that the client sends to Logto; empty if it found none."""
    return single_line((run.resource_metadata or {}).get("resource"), 2048)


def supports_url_clients(run: Run) -> bool:
    """Return whether Logto accepts the URL of a client metadata document as a `client_id` (CIMD)."""
    return bool((run.logto_metadata or {}).get("client_id_metadata_document_supported"))


# The response to a request without a token


def server_findings(run: Run) -> Iterator[Finding]:
    """Yield whether the server answers 401 to a request without a token, and what its challenge says."""
    first = run.first
    if first is None:
        yield failure(
            "mcp-server",
            f"{run.url} is out of reach: {type(run.error).__name__}.",
            "Check the URL, that the server runs, and that this machine can connect to it: DNS, certificates, proxy.",
        )
    elif first.status == 401:
        yield ok("mcp-server", f"{run.url} answers 401 to a request without a token.")
        yield _challenge(run.url, first)
    elif first.status < 300:
        yield failure("mcp-server", f"{run.url} answers without a token, so anybody can call its tools.", PROTECT)
    elif first.location:
        yield _redirect(run.url, first)
    else:
        yield failure(
            "mcp-server",
            f"{run.url} answers {first.status} to a request without a token, expected 401.",
            REMEDIES.get(first.status, "See the log of the server."),
        )


def _redirect(url: str, answer: Exchange) -> Finding:
    location = single_line(answer.location.partition("?")[0])
    if urlsplit(location).path.rstrip("/") == urlsplit(url).path.rstrip("/"):
        remedy = "Clients do not follow it. Use that URL, in clients and in LOGTO_API_RESOURCES."
    else:
        remedy = f"A middleware or a decorator of the site asks for a sign-in. {EXEMPT}"
    return failure("mcp-server", f"{url} answers {answer.status}, a redirect to {location}, expected 401.", remedy)


def _challenge(url: str, answer: Exchange) -> Finding:
    named = answer.parameter("resource_metadata")
    if not answer.is_bearer_challenge or not named:
        what = "has no WWW-Authenticate: Bearer" if not answer.is_bearer_challenge else "names no resource_metadata"
        return warning(
            "mcp-challenge", f"The 401 {what}, so clients have to guess where the metadata is.", f"{DECLARE} {PROTECT}"
        )
    if _origin(named) != _origin(url):
        return failure(
            "mcp-challenge",
            f"The 401 names the metadata {named}, which has another origin than {url}.",
            f"If clients use {'://'.join(_origin(named))}, pass a URL of that origin. Otherwise correct LOGTO_BASE_URL "
            "or, behind a proxy, SECURE_PROXY_SSL_HEADER and USE_X_FORWARDED_HOST.",
        )
    scopes = answer.parameter("scope") or "no permissions, so clients request all that the metadata has"
    return ok("mcp-challenge", f"The 401 names the metadata {named} and requires {scopes}.")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


# The metadata of the API resource


def metadata_findings(run: Run, url: str) -> Iterator[Finding]:
    """Yield whether the metadata (RFC 9728) fits `url`, which the client was given, and the settings of this site."""
    metadata = run.resource_metadata
    if metadata is None:
        tried = ", ".join(f"{each.url} ({each.status})" for each in run.to_resource_metadata)
        named = run.first.parameter("resource_metadata") if run.first else ""
        why = f"Tried: {tried}." if tried else f"{named or run.url} is out of reach: {type(run.error).__name__}."
        yield failure("mcp-metadata", f"The client found no metadata of the API resource. {why}", DECLARE)
        return
    problems = list(_metadata_problems(metadata, url))
    yield from problems
    if not problems:
        scopes = ", ".join(_scopes(metadata)) or "none"
        yield ok("mcp-metadata", f"The metadata is that of {url}. Permissions: {scopes}.")


def _metadata_problems(metadata: Mapping[str, Any], url: str) -> Iterator[Finding]:
    resource = single_line(metadata["resource"], 2048)
    if not _covers(resource, url):
        yield failure(
            "mcp-metadata",
            f"The metadata is that of {resource}. A client that connects to {url} rejects it.",
            f"If clients use {resource}, pass that URL. Otherwise declare an API resource whose indicator is exactly "
            "the URL of the server. Logto cannot change an indicator: create another one.",
        )
    elif _canonical(resource) != _canonical(url):
        yield warning(
            "mcp-metadata",
            f"The metadata is that of {resource}, not of {url}. Some clients reject that.",
            "Give the server an API resource of its own, whose indicator is exactly its URL.",
        )
    servers = metadata.get("authorization_servers")
    first = single_line(servers[0]) if isinstance(servers, list) and servers else ""
    if conf.endpoint and first != conf.issuer:
        yield failure(
            "mcp-metadata",
            f"The metadata names the authorization server {first or '(none)'}, expected {conf.issuer}.",
            "Check that the server has the LOGTO_ENDPOINT of these settings.",
        )
    if not _scopes(metadata):
        yield warning(
            "mcp-metadata",
            "The metadata has no permissions, so clients request none.",
            "Name the permissions of the resource in LOGTO_API_RESOURCES.",
        )
    if conf.declared_api_resources and resource not in conf.declared_api_resources:
        yield warning(
            "mcp-metadata",
            f"LOGTO_API_RESOURCES does not have {resource}.",
            "Run the doctor with the settings of the site that serves the MCP server.",
        )


def _covers(resource: str, url: str) -> bool:
    """Return whether a client that connects to `url` accepts the metadata of `resource`: its own, or that above it."""
    path, above = (urlsplit(each).path.rstrip("/") + "/" for each in (url, resource))
    return _origin(resource) == _origin(url) and path.startswith(above)


def _canonical(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()))


def _scopes(metadata: Mapping[str, Any]) -> list[str]:
    scopes = metadata.get("scopes_supported")
    return [single_line(each) for each in scopes if isinstance(each, str)] if isinstance(scopes, list) else []


# The metadata of Logto


def logto_findings(run: Run) -> Iterator[Finding]:
    """Yield whether the client found the metadata of Logto (RFC 8414), at the address that clients use."""
    metadata, tried = run.logto_metadata, run.to_logto_metadata
    if metadata is None:
        shown = ", ".join(f"{each.url} ({each.status})" for each in tried)
        why = f"Tried: {shown}." if shown else f"Logto is out of reach: {type(run.error).__name__}."
        yield failure(
            "mcp-logto",
            f"The client found no metadata of Logto. {why}",
            "Run the doctor on a machine that reaches Logto as the clients do. A proxy must pass /.well-known/ and "
            "/oidc/ to Logto.",
        )
        return
    found = next(each.url for each in reversed(tried) if each.document is metadata)
    dynamic = "accepts" if supports_url_clients(run) else "does not accept"
    yield ok("mcp-logto", f"{found} is the metadata of Logto, which {dynamic} clients that are URLs (CIMD).")

"""Run the official MCP client against a server: once until the sign-in, and once with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from logto_auth.conf import conf
from logto_auth.doctor.findings import Finding, described, errors_as_failures, failure, skipped
from logto_auth.oidc.http import HTTPClient

from .application import Chosen, Server, choose_application
from .callback import DEFAULT_REDIRECT_URI, CallbackListener
from .server import logto_findings, metadata_findings, resource_of, server_findings, supports_url_clients
from .sign_in import authorization_findings, revocation_findings, sign_in_findings
from .transcript import Run

__all__ = ["examine_mcp"]

SIGN_IN_SECONDS = 300
# The first run ends before any server gets it.
NO_CLIENT = "logto-doctor"


def examine_mcp(
    url: str,
    *,
    client_id: str = "",
    redirect_uri: str = "",
    tool: str = "",
    arguments: Mapping[str, Any] | None = None,
    show: Callable[[str], None] | None = None,
) -> Iterator[Finding]:
    """Yield the findings about the MCP server at `url`, as the official client sees it.

    `client_id` is an App ID, or the URL of a client metadata document; empty: a third-party application that the site
    declares. `redirect_uri` is a loopback URI of it; empty: one that it has. `tool` is called with `arguments`, with
    all that the call does. `show` gets the text that asks the operator to sign in, in a browser on this machine;
    without it, the examination ends before the sign-in.
    """
    yield from errors_as_failures(_examine(url, client_id, redirect_uri, tool, arguments or {}, show), "mcp-client")


def _examine(
    url: str,
    client_id: str,
    redirect_uri: str,
    tool: str,
    arguments: Mapping[str, Any],
    show: Callable[[str], None] | None,
) -> Iterator[Finding]:
    try:
        # The package is optional, and takes a second to import.
        from .client import Call, run_client
    except ImportError as error:
        yield failure(
            "mcp-client",
            f"The MCP client cannot be imported: {described(error)}.",
            'Install the extra: pip install "logto-auth[mcp]". It needs mcp 2.3 or newer.',
        )
        return
    first = run_client(url, client_id=NO_CLIENT, redirect_uri=DEFAULT_REDIRECT_URI)
    findings = list(_before_sign_in(first, url))
    yield from findings
    if any(each.level == "failure" for each in findings):
        yield _no_sign_in()
        return
    connect_seconds, total_seconds = conf.http_timeout_seconds
    http = HTTPClient(connect_seconds=connect_seconds, total_seconds=total_seconds)
    client = None
    for each in choose_application(http, client_id, redirect_uri, _server_of(first)):
        if isinstance(each, Chosen):
            client = each
        else:
            yield each
    if client is None:
        yield _no_sign_in()
        return
    findings = list(authorization_findings(http, first.authorization_urls[0], client, resource_of(first)))
    yield from findings
    if any(each.level == "failure" for each in findings):
        yield _no_sign_in()
        return
    if show is None:
        yield skipped("mcp-sign-in", "No sign-in was tried, because there is no terminal, or --no-browser is given.")
        return
    try:
        listener = CallbackListener(client.redirect_uri)
    except OSError as error:
        yield failure(
            "mcp-sign-in",
            f"The doctor cannot listen at {client.redirect_uri}: {error.strerror or type(error).__name__}.",
            "End the program that uses the port, or pass --redirect-uri.",
        )
        return
    with listener:
        second = run_client(
            url,
            client_id=client.client_id,
            redirect_uri=listener.uri,
            sign_in=_Operator(listener, show).sign_in,
            call=Call(tool, arguments) if tool else None,
        )
    # Before anything else can fail.
    revocation = list(revocation_findings(http, second, client))
    yield from sign_in_findings(second, tool=tool)
    yield from revocation


def _no_sign_in() -> Finding:
    return skipped("mcp-sign-in", "No sign-in was tried, because of the failures above.")


def _server_of(run: Run) -> Server:
    required = run.first.parameter("scope").split() if run.first else []
    return Server(resource_of(run), frozenset(required), accepts_urls=supports_url_clients(run))


def _before_sign_in(run: Run, url: str) -> Iterator[Finding]:
    yield from server_findings(run)
    if run.first is None or run.first.status != 401:
        return
    found = list(metadata_findings(run, url))
    yield from found
    if any(each.level == "failure" for each in found):
        return
    yield from logto_findings(run)
    if run.logto_metadata is not None and (run.error is not None or not run.authorization_urls):
        text = described(run.error) if isinstance(run.error, Exception) else "no authorization request"
        yield failure("mcp-client", f"The client stopped before the sign-in: {text}.", "See the log of the server.")


class _Operator:
    """The operator, who signs in with a browser on this machine."""

    def __init__(self, listener: CallbackListener, show: Callable[[str], None]) -> None:
        self._listener = listener
        self._show = show
        self._has_signed_in = False

    def sign_in(self, authorization_url: str) -> Mapping[str, str]:
        """Return the parameters of the answer. Raise SignInFailed."""
        self._listener.expect(parse_qs(urlsplit(authorization_url).query)["state"][0])
        why = "The tool requires more permissions. " if self._has_signed_in else ""
        minutes = SIGN_IN_SECONDS // 60
        self._show(
            f"{why}Open this URL in a browser on this machine, and sign in within {minutes} minutes:\n\n"
            f"{authorization_url}\n"
        )
        answer = self._listener.wait(SIGN_IN_SECONDS)
        self._has_signed_in = True
        return answer

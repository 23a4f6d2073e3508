"""What an MCP client and its servers said to each other: the requests of a run, and the responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from logto_auth.oidc.errors import single_line

__all__ = ["MAX_DOCUMENT_BYTES", "Exchange", "Run", "SignInFailed", "ToolResult", "parse_document"]

MAX_DOCUMENT_BYTES = 1024 * 1024
# No name begins within a word, so that a long one takes no longer than others.
PARAMETER = re.compile(r'(?<![a-zA-Z_])([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"
LOGTO_METADATA = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")


class SignInFailed(Exception):
    """The browser came back without a code, or did not come back. `error` is that of OAuth, empty if there is none."""

    def __init__(self, message: str, *, error: str = "", scope: str = "") -> None:
        super().__init__(message)
        self.error = error
        self.scope = scope


@dataclass(frozen=True)
class Exchange:
    """A request of the client, and the response to it."""

    method: str
    url: str
    status: int
    challenge: str
    """The value of `WWW-Authenticate`; empty if there was none."""
    location: str
    """The value of `Location`; empty if there was none."""
    document: Mapping[str, Any] | None = field(default=None, repr=False)
    """The JSON object in the body; None if there was none, and for the MCP server. It may contain tokens."""

    @property
    def is_bearer_challenge(self) -> bool:
        """Whether `WWW-Authenticate` has the scheme Bearer."""
        return self.challenge.lower().startswith("bearer")

    def parameter(self, name: str) -> str:
        """Return a parameter of the challenge (RFC 6750, section 3); empty if it has none with this name."""
        found = {each[1].lower(): each[2] or each[3] or "" for each in PARAMETER.finditer(self.challenge)}
        return single_line(re.sub(r"\\(.)", r"\1", found.get(name, "")), 2048)

    @property
    def error(self) -> str:
        """The error of OAuth in the body, on one line; empty if there is none."""
        texts = (single_line((self.document or {}).get(name)) for name in ("error", "error_description"))
        return ": ".join(text for text in texts if text)


@dataclass(frozen=True)
class ToolResult:
    """What a tool answered. `text` is that of an error, on one line; empty otherwise."""

    is_error: bool
    parts: int
    text: str = ""


@dataclass
class Run:
    """A run of the client against the MCP server at `url`. It ends with `error`, or at its end."""

    url: str
    exchanges: list[Exchange] = field(default_factory=list)
    authorization_urls: list[str] = field(default_factory=list)
    """The URL of each authorization request."""
    error: BaseException | None = None
    """What ended the run."""
    protocol_version: str = ""
    """The version of MCP. Empty if there was no connection."""
    tools: list[str] | None = None
    """The names of the tools; None if the server did not list them."""
    result: ToolResult | None = None
    access_token: str = field(default="", repr=False)
    """The latest access token."""
    refresh_tokens: list[str] = field(default_factory=list, repr=False)
    granted_scopes: frozenset[str] = frozenset()
    """The scopes of the latest access token."""

    @property
    def to_server(self) -> list[Exchange]:
        """The exchanges with the MCP server itself."""
        return [each for each in self.exchanges if _without_slash(each.url) == _without_slash(self.url)]

    @property
    def first(self) -> Exchange | None:
        """The response to the request without a token; None if there was none."""
        return next(iter(self.to_server), None)

    @property
    def last(self) -> Exchange | None:
        """The latest response to a message; None if there was none."""
        return next((each for each in reversed(self.to_server) if each.method == "POST"), None)

    @property
    def to_resource_metadata(self) -> list[Exchange]:
        """The requests for the metadata of the API resource (RFC 9728)."""
        named = self.first.parameter("resource_metadata") if self.first else ""
        return [each for each in self._reads() if each.url == named or RESOURCE_METADATA in each.url]

    @property
    def resource_metadata(self) -> Mapping[str, Any] | None:
        """The metadata of the API resource that the client read; None if it found none."""
        return _document(self.to_resource_metadata, "resource")

    @property
    def to_logto_metadata(self) -> list[Exchange]:
        """The requests for the metadata of the authorization server (RFC 8414, OpenID Connect Discovery)."""
        return [each for each in self._reads() if any(path in each.url for path in LOGTO_METADATA)]

    @property
    def logto_metadata(self) -> Mapping[str, Any] | None:
        """The metadata of the authorization server that the client read; None if it found none."""
        return _document(self.to_logto_metadata, "issuer")

    @property
    def to_token_endpoint(self) -> list[Exchange]:
        """The requests for tokens."""
        endpoint = (self.logto_metadata or {}).get("token_endpoint")
        return [each for each in self.exchanges if each.method == "POST" and each.url == endpoint]

    def _reads(self) -> Iterator[Exchange]:
        return (each for each in self.exchanges if each.method == "GET" and each.url != self.url)


def parse_document(body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON object in a body, or None."""
    if len(body) > MAX_DOCUMENT_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _document(exchanges: list[Exchange], member: str) -> Mapping[str, Any] | None:
    """Return the latest document that was found and has a text in `member`."""
    found = [each.document for each in exchanges if each.status == 200 and each.document]
    return next((each for each in reversed(found) if isinstance(each.get(member), str)), None)


def _without_slash(url: str) -> str:
    return url.rstrip("/")

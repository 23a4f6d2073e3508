"""Matching of redirect URIs, and adding parameters to them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote_plus, urlsplit

_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
# The port of a URI, where nothing else is normalised.
_PORT = re.compile(r"^(https?://(?:\[[^\\\]]+\]|[^\\/:?#]+)):\d+(?=[/?#]|$)", re.IGNORECASE)
_PATTERN = re.compile(r"(https?)://(?P<host>[^/?#@\[\]:]+)(?::(\d+))?(/[^?#]*)?(?:\?([^#*]*))?(?:#([^*]*))?")


@dataclass(frozen=True)
class URL:
    """A URL normalised as by a browser: scheme and host in lower case, no default port, a path for http(s)."""

    scheme: str
    authority: str
    host: str
    port: int | None
    path: str
    query: str
    fragment: str

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.scheme}:{self.authority}{self.path}{query}{fragment}"


def parse_url(text: str) -> URL | None:
    """Return the normalised URL, or None if a browser's parser would refuse the text."""
    if any(character.isspace() or ord(character) < 0x20 for character in text):
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if not parts.scheme or (parts.scheme in _DEFAULT_PORTS and not parts.hostname):
        return None
    if port == _DEFAULT_PORTS.get(parts.scheme):
        port = None
    has_authority = text[len(parts.scheme) + 1 :].startswith("//")
    authority = _authority(parts.username, parts.password, parts.hostname or "", port) if has_authority else ""
    path = _normal_path(parts.path) if parts.scheme in _DEFAULT_PORTS else parts.path
    return URL(parts.scheme, authority, parts.hostname or "", port, path, parts.query, parts.fragment)


def redirect_uri_allowed(uri: str, registered: Iterable[str], *, native: bool = False) -> bool:
    """Return whether `uri` matches a registered URI or pattern. Native applications may use any loopback port."""
    url = parse_url(uri)
    if url is None:
        return False
    registered = list(registered)
    if any(_matches(candidate, url) for candidate in registered):
        return True
    if not (native and url.scheme == "http" and url.host in _LOOPBACK_HOSTS):
        return False
    return any(_without_port(parse_url(candidate)) == _without_port(url) for candidate in registered)


def redirect_uri_registrable(uri: str) -> bool:
    """Return whether Logto accepts this redirect URI: http(s), with or without wildcards, or a custom scheme."""
    url = parse_url(uri)
    if url is None:
        return False
    if url.scheme not in _DEFAULT_PORTS:
        return "*" not in url.scheme and re.fullmatch(r"[a-z][\d+_a-z-]*(\.[\d+_a-z-]+)*", url.scheme) is not None
    if {".", ".."} & set(urlsplit(uri).path.split("/")):
        return False
    if "*" not in uri:
        return True
    pattern = _PATTERN.fullmatch(uri)
    return pattern is not None and ("*" not in pattern["host"] or "." in pattern["host"])


def raw_redirect_uri_allowed(uri: str, registered: Iterable[str], *, any_loopback_port: bool) -> bool:
    """Return whether `uri` is a URI of a dynamic client, compared as text, or matches a pattern of it.

    With `any_loopback_port`, only the port of a loopback URI may differ. Source: RFC 9700, section 4.1.3.
    """
    url, registered = parse_url(uri), list(registered)
    if url is None or "*" in uri:
        return False
    if any(_matches_pattern(each, url) if "*" in each else each == uri for each in registered):
        return True
    if not any_loopback_port or url.scheme != "http" or url.host not in _LOOPBACK_HOSTS:
        return False
    return any(_without_raw_port(each) == _without_raw_port(uri) for each in registered)


def is_valid_pattern(uri: str) -> bool:
    """Return whether a redirect URI with `*` is a pattern that can match."""
    pattern = _PATTERN.fullmatch(uri)
    if pattern is None:
        return False
    labels = pattern["host"].split(".")
    return "*" not in pattern["host"] or (len(labels) > 1 and not any("*" in label for label in labels[-2:]))


def with_parameters(uri: str, parameters: Sequence[tuple[str, str]], *, fragment: bool = False) -> str:
    """Return `uri` with the parameters added to its query, or as its fragment."""
    url = parse_url(uri)
    if url is None:
        raise ValueError(f"Expected a valid redirect URI, not {uri!r}.")
    if fragment:
        return str(replace(url, fragment=form_encode(parameters)))
    if not parameters:
        return str(url)
    names = {name for name, _ in parameters}
    kept = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] not in names]
    return str(replace(url, query=form_encode([*kept, *parameters])))


def form_encode(parameters: Iterable[tuple[str, str]]) -> str:
    """Return the parameters in the format `application/x-www-form-urlencoded`."""
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in parameters)


def _encode(text: str) -> str:
    # The URL standard keeps `*` and escapes `~`. Python does the opposite.
    return quote_plus(text, safe="*").replace("~", "%7E")


def _authority(username: str | None, password: str | None, host: str, port: int | None) -> str:
    credentials = f"{username or ''}{f':{password}' if password else ''}@" if username or password else ""
    shown_host = f"[{host}]" if ":" in host else host
    return f"//{credentials}{shown_host}{f':{port}' if port is not None else ''}"


def _normal_path(path: str) -> str:
    """Return the path with its dot segments resolved, never empty."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if segment == "..":
            kept = kept[:-1]
        if segment in {".", ".."}:
            kept += [""] if last else []
        else:
            kept.append(segment)
    return "/" + "/".join(kept)


def _without_port(url: URL | None) -> URL | None:
    return None if url is None else replace(url, port=None, authority=f"//{url.host}")


def _without_raw_port(uri: str) -> str:
    return _PORT.sub(r"\1", uri)


def _matches(registered: str, url: URL) -> bool:
    return _matches_pattern(registered, url) if "*" in registered else parse_url(registered) == url


def _matches_pattern(pattern: str, url: URL) -> bool:
    """Return whether a registered URI with `*` matches. `*` works in the path, and in host labels except the last
    two."""
    parts = _PATTERN.fullmatch(pattern)
    if parts is None or url.authority.count("@"):
        return False
    scheme, host, port, path, query, fragment = parts.groups(default="")
    expected_port = int(port) if port else _DEFAULT_PORTS[scheme]
    return (
        scheme == url.scheme
        and expected_port == (url.port or _DEFAULT_PORTS[scheme])
        and _host_matches(host.lower(), url.host)
        and _wildcard_matches(path or "/", ".*", url.path)
        and (query, fragment) == (url.query, url.fragment)
    )


def _host_matches(pattern: str, host: str) -> bool:
    expected, actual = pattern.split("."), host.split(".")
    if len(expected) != len(actual) or any("*" in label for label in expected[-2:]):
        return False
    return all(_wildcard_matches(label, "[^.]+", given) for label, given in zip(expected, actual, strict=True))


def _wildcard_matches(pattern: str, wildcard: str, text: str) -> bool:
    return re.fullmatch(wildcard.join(map(re.escape, pattern.split("*"))), text) is not None

"""The two addresses of one Logto: the public one, for browsers, and the internal one, for requests of this server."""

from __future__ import annotations

from urllib.parse import urlsplit

__all__ = ["Addresses", "is_plain_url"]

_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, "int | None"]


class Addresses:
    """The addresses of the provider `issuer`, whose origin is the public one.

    `internal_endpoint` is the origin to which this server sends its requests. Empty: the public one. Only these two
    origins are ever used: a URL at the one is rewritten to the other, and any other URL is refused.
    """

    def __init__(self, issuer: str, internal_endpoint: str = "") -> None:
        self.issuer = issuer
        self.public_endpoint = _origin_text(issuer)
        self.internal_endpoint = internal_endpoint.rstrip("/") or self.public_endpoint

    @property
    def is_split(self) -> bool:
        """Whether this server and browsers use different origins."""
        return _origin(self.internal_endpoint) != _origin(self.public_endpoint)

    @property
    def discovery_url(self) -> str:
        """The URL of the discovery document, for a request of this server."""
        return self.for_server(f"{self.issuer}/.well-known/openid-configuration")

    def is_known(self, url: object) -> bool:
        """Return whether `url` is a plain http(s) URL at one of the two origins."""
        if not isinstance(url, str) or not is_plain_url(url):
            return False
        origin = _origin(url)
        return origin is not None and origin in (_origin(self.public_endpoint), _origin(self.internal_endpoint))

    def for_browsers(self, url: str) -> str:
        """Return a known URL at the public origin. Raise ValueError for any other URL."""
        return self._moved(url, self.public_endpoint)

    def for_server(self, url: str) -> str:
        """Return a known URL at the internal origin. Raise ValueError for any other URL."""
        return self._moved(url, self.internal_endpoint)

    def _moved(self, url: str, endpoint: str) -> str:
        if not self.is_known(url):
            raise ValueError(f"The URL {url!r:.200} is at neither address of Logto.")
        if _origin(url) == _origin(endpoint):
            return url
        return endpoint + url.removeprefix(_origin_text(url))


def is_plain_url(url: str) -> bool:
    """Return whether all libraries read `url` alike."""
    return url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)


def _origin(url: str) -> Origin | None:
    """Return scheme, host and port of an http(s) URL without user info, None for any other URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port


def _origin_text(url: str) -> str:
    """Return the part of `url` before its path, as it is written."""
    scheme, separator, rest = url.partition("://")
    for end in "/?#":
        rest = rest.partition(end)[0]
    return f"{scheme}{separator}{rest}"

"""A common form for recorded answers and for answers of the emulator."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.recorded import DEFAULT

from .recorded_on_head import recorded_for

# The headers that the recordings contain.
KEPT_HEADERS = ("Access-Control-Allow-Origin", "Cache-Control", "Content-Type", "WWW-Authenticate")


@dataclass(frozen=True)
class Exchange:
    """An HTTP answer. `issuer` is that of the instance, which a comparison replaces."""

    status: int
    headers: dict[str, str]
    body: Any
    location: str | None
    issuer: str

    @property
    def kept_headers(self) -> dict[str, str]:
        """The recorded headers, with the issuer replaced."""
        lower = {name.lower(): value for name, value in self.headers.items()}
        kept = {name: lower[name.lower()] for name in KEPT_HEADERS if name.lower() in lower}
        return {name: value.replace(self.issuer, "<issuer>") for name, value in kept.items()}


def recorded(name: str, index: int | None = None, *, version: str = DEFAULT) -> Exchange:
    """Return a recorded exchange as the version shows it; `index` selects one of a list."""
    data = recorded_for(name, version) if index is None else recorded_for(name, version)[index]
    if "status" not in data:
        return Exchange(303, {}, None, data["location"], "http://localhost:3001/oidc")
    location = data.get("location") or data["headers"].get("Location")
    # Some recordings are from a copy of the server on another port.
    issuer = "{0.scheme}://{0.netloc}/oidc".format(urlsplit(data["request"]["url"]))
    return Exchange(data["status"], data["headers"], data["body"], location, issuer)


def received(response: requests.Response, issuer: str) -> Exchange:
    """Return an answer of the emulator in the same form."""
    is_json = "json" in response.headers.get("Content-Type", "")
    body = response.json() if is_json else response.text
    return Exchange(response.status_code, dict(response.headers), body, response.headers.get("Location"), issuer)


def shape(value: Any) -> Any:
    """Return the keys of a value in order with the types of their values. A list has the form of its first element."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return ["list", *(shape(inner) for inner in value[:1])]
    return type(value).__name__


def location_shape(location: str) -> tuple[str, list[str]]:
    """Return the path of a redirect, and the names of its parameters in order."""
    parts = urlsplit(location)
    return parts.path, [name for name, _ in parse_qsl(parts.query)]


def decoded(token: str) -> dict[str, Any]:
    """Return header and claims of a JWT without verification, in the form of the recordings."""
    header, claims, _ = token.split(".")
    return {"header": _json(header), "claims": _json(claims)}


def _json(part: str) -> Any:
    return json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))

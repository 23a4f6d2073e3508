"""The API resources of this site, by the path at which their metadata is."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from logto_auth.conf import conf

__all__ = ["path_of", "resource_at"]


def path_of(resource: str) -> str:
    """Return the decoded path of an indicator, without slashes at its ends.

    The metadata is at that path below the well-known one (RFC 9728, section 3.1).
    """
    return unquote(urlsplit(resource).path).strip("/")


def resource_at(path: str) -> str | None:
    """Return the indicator of the API resource whose metadata is at `path`, or None.

    If several have this path, it is the first one. If none has, and `path` is empty, it is `LOGTO_API_RESOURCE`.
    """
    path = path.strip("/")
    found = next((each for each in conf.declared_api_resources if path_of(each) == path), None)
    return found or (conf.api_resource or None if not path else None)

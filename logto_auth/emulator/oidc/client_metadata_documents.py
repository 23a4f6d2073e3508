"""The dynamic app: a `client_id` that is the URL of a metadata document (CIMD, draft 02).

The emulator reads no documents. It answers as a Logto that cannot reach them, so no such client works.
"""

from __future__ import annotations

import re

from logto_auth.emulator.provider import Provider

from . import errors
from .redirect_uris import parse_url

_MAX_LENGTH = 2048


def unresolved_client(provider: Provider, client_id: str) -> errors.OIDCError:
    """Return the error for a client id that no application has."""
    if not (provider.takes_client_metadata_documents and is_metadata_url(client_id)):
        return errors.unknown_client(client_id)
    if len(client_id) > _MAX_LENGTH:
        return errors.invalid_client(f"client_id must not exceed {_MAX_LENGTH} characters")
    return errors.invalid_client("client_id metadata document fetch failed")


def is_metadata_url(client_id: str) -> bool:
    """Return whether the id is an https URL without user, fragment and dot segments."""
    url = parse_url(client_id)
    if url is None or url.scheme != "https" or url.fragment or "@" in url.authority:
        return False
    path = client_id.partition("://")[2].partition("?")[0]
    segments = [segment.lower().replace("%2e", ".") for segment in path.split("/")[1:]]
    return not {".", ".."} & set(segments) and not re.search(r"[\x7f\\]", client_id)

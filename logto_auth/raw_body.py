"""The raw body of a request from a server, of limited size."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.request import RawPostDataException, UnreadablePostError


class BodyRefused(Exception):
    """The body is too large, or cannot be read. `code` and `status` are for the response."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def read_body(request: HttpRequest, *, max_bytes: int) -> bytes:
    """Return the raw body. At most `max_bytes` are read, even if the request declares no or a wrong length.

    Raise BodyRefused.
    """
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    try:
        body = request.read(max_bytes + 1) if length <= max_bytes else None
    except (UnreadablePostError, RawPostDataException) as error:
        raise BodyRefused("The body cannot be read.", code="invalid_request", status=400) from error
    if body is None or len(body) > max_bytes:
        raise BodyRefused(f"The body is larger than {max_bytes} bytes.", code="content_too_large", status=413)
    return body

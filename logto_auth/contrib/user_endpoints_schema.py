"""drf-spectacular: what the OpenAPI document says about the endpoints for users. Needs drf-spectacular."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.authentication import SessionAuthentication

from logto_auth.exceptions import LogtoError

from .user_endpoints import UserEndpoint

__all__ = ["Operation", "described", "prefixed_name", "schema_of"]

# The name that drf-spectacular gives the scheme of `SessionAuthentication`.
SESSION = "cookieAuth"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What the document says about a method of a view."""

    id: str
    summary: str
    takes: Any = None
    returns: Any = None
    status: int = 200
    errors: tuple[type[LogtoError], ...] = ()
    parameters: tuple[OpenApiParameter, ...] = ()


def prefixed_name(prefix: str, serializer: Any) -> str:
    """Return the name of a body in the document. The site may have a serializer with the same name."""
    return prefix + type(serializer).__name__.removesuffix("Serializer")


def schema_of(auto_schema: Any, serializer: Any, direction: Any) -> dict[str, Any]:
    """Return the schema of a serializer with an extension. That of the base class of extensions would be empty."""
    schema: dict[str, Any] = auto_schema._map_serializer(serializer, direction, bypass_extensions=True)
    return schema


def described(
    view: type[UserEndpoint], operations: Mapping[Any, Mapping[str, Operation]], *, tag: str, error: type
) -> type:
    """Return a subclass of the view whose methods have descriptions.

    `operations` are by view, which may be a base of this one, and by method. `error` is the serializer of errors.
    """
    known = next((operations[each] for each in view.__mro__ if each in operations), {})
    descriptions = {method: _description(view, method, each, tag, error) for method, each in known.items()}
    replacement: type = extend_schema_view(**descriptions)(type(view.__name__, (view,), {}))
    return replacement


def _description(view: type[UserEndpoint], method: str, operation: Operation, tag: str, error: type) -> Any:
    responses: dict[int, Any] = {operation.status: operation.returns}
    codes = [f"`{each.code}` ({each.status})" for each in operation.errors]
    # What is wrong with a token, a body or Logto, whatever the operation is.
    statuses = {401, 403, 502, 503} | ({400} if operation.takes else set())
    for status in sorted(statuses | {each.status for each in operation.errors}):
        responses[status] = error
    sentences = [
        "For sessions, not for access tokens." if method.upper() in view.session_methods else "",
        f"Error codes: {', '.join(codes)}." if codes else "",
    ]
    return extend_schema(
        operation_id=f"{tag.replace('-', '_')}_{operation.id}",
        summary=operation.summary,
        description=" ".join(filter(None, sentences)),
        tags=[tag],
        request=operation.takes,
        responses=responses,
        parameters=list(operation.parameters),
        auth=_auth(view, method),
        exclude=_is_hidden(view, method),
    )


def _auth(view: type[UserEndpoint], method: str) -> Any:
    """Return the security requirements of an operation; None: those of the authentication classes of the view."""
    if method.upper() in view.public_methods:
        return []
    return [{SESSION: []}] if method.upper() in view.session_methods else None


def _is_hidden(view: type[UserEndpoint], method: str) -> bool:
    """Return whether an operation is for sessions, and the document is not: it lacks their security scheme."""
    # Imported classes, although the setting has names.
    classes = spectacular_settings.AUTHENTICATION_WHITELIST
    return method.upper() in view.session_methods and classes is not None and SessionAuthentication not in classes

"""drf-spectacular: the OpenAPI document describes the endpoints for API keys.

Loaded by `api` if `drf_spectacular` is in `INSTALLED_APPS`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiViewExtension

from logto_auth.contrib.user_endpoints_schema import Operation, described, prefixed_name, schema_of

from . import api
from . import api_serializers as serializers
from .errors import (
    ApiKeyGone,
    ClientRefused,
    ExpiryNotAllowed,
    InvalidKeyName,
    KeyNameTaken,
    ProofRequired,
    SessionRequired,
    TooManyApiKeys,
)

TAG = "api-keys"
PREFIX = "ApiKeys"

OPERATIONS: dict[type[api.ApiKeyView], dict[str, Operation]] = {
    api.KeyListView: {
        "get": Operation(
            id="list",
            summary="The API keys of the user",
            returns=serializers.KeyListSerializer,
            errors=(ClientRefused,),
        ),
        "post": Operation(
            id="create",
            summary="Make an API key",
            takes=serializers.NewKeySerializer,
            returns=serializers.CreatedKeySerializer,
            status=201,
            errors=(
                InvalidKeyName,
                ExpiryNotAllowed,
                ProofRequired,
                ClientRefused,
                SessionRequired,
                KeyNameTaken,
                TooManyApiKeys,
            ),
        ),
    },
    api.KeyView: {
        "get": Operation(
            id="read",
            summary="One API key",
            returns=serializers.KeySerializer,
            errors=(ClientRefused, ApiKeyGone),
        ),
        "patch": Operation(
            id="rename",
            summary="Rename an API key",
            takes=serializers.KeyNameSerializer,
            returns=serializers.KeySerializer,
            errors=(InvalidKeyName, ClientRefused, ApiKeyGone, KeyNameTaken),
        ),
        "delete": Operation(id="revoke", summary="Revoke an API key", status=204, errors=(ClientRefused, ApiKeyGone)),
    },
}


class ApiKeySerializerExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """The names of the bodies in the document."""

    target_class = serializers.KeysSerializer
    match_subclasses = True

    def get_name(self, auto_schema: Any, direction: Any) -> str:
        """Return the name of the class with a prefix."""
        return prefixed_name(PREFIX, self.target)

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Return the schema of the serializer. That of the base class would be empty."""
        return schema_of(auto_schema, self.target, direction)


class ApiKeyViewExtension(OpenApiViewExtension):  # type: ignore[no-untyped-call]
    """The operations of each view, and of a subclass of one."""

    target_class = api.ApiKeyView
    match_subclasses = True

    def view_replacement(self) -> type:
        """Return a subclass of the view whose methods have descriptions."""
        return described(self.target, OPERATIONS, tag=TAG, error=serializers.ErrorSerializer)

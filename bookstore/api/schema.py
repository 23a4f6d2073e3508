"""What the OpenAPI document says beyond what the views say themselves."""

from typing import Any

from drf_spectacular.generators import SchemaGenerator


def document_missing_sign_in(result: dict[str, Any], generator: SchemaGenerator, **options: Any) -> dict[str, Any]:
    """Add the response 401 to each operation that an anonymous caller cannot use."""
    for path in result["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict) and operation.get("security") and {} not in operation["security"]:
                operation["responses"].setdefault("401", {"description": "No valid access token and no session."})
    return result

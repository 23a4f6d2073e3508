"""Errors of the Management API in Logto's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Messages by `code`. Clients should branch on the code. A code without a message is shown itself.
_MESSAGES = {
    "auth.authorization_header_missing": "Authorization header is missing.",
    "auth.authorization_token_type_not_supported": "This type of authorization is not supported.",
    "auth.forbidden": "The token lacks a permission for this.",
    "auth.jwt_sub_missing": "The token has no `sub`.",
    "auth.unauthorized": "Unauthorized. Please check credentials and its scope.",
    "connector.invalid_config": "The connector's config is invalid.",
    "connector.multiple_instances_not_supported": ("Can not create multiple instance with picked standard connector."),
    "entity.not_found": "The resource does not exist.",
    "entity.unique_integrity_violation": "Something with this name exists already.",
    "guard.invalid_input": "The request {part} is invalid.",
    "guard.invalid_pagination": "The page of the request is invalid.",
    "user.email_already_in_use": "This email is already in use.",
    "user.phone_already_in_use": "This phone number is already in use.",
    "user.username_already_in_use": "This username is already in use.",
}

Issue = dict[str, Any]


class APIError(Exception):
    """An error of the Management API. `data` and `details` are optional; `part` is the part of the request at fault."""

    def __init__(
        self,
        code: str,
        status: int = 422,
        *,
        data: Any = None,
        details: str | None = None,
        part: str = "body",
    ) -> None:
        super().__init__(code)
        self.code, self.status, self.data, self.details, self.part = code, status, data, details, part

    def body(self) -> dict[str, Any]:
        """Return Logto's JSON."""
        message = _MESSAGES.get(self.code, f"Refused: {self.code}.").format(part=self.part)
        optional = {"data": self.data, "details": self.details}
        return {
            "code": self.code,
            **{name: value for name, value in optional.items() if value is not None},
            "message": message,
        }


def not_found() -> APIError:
    return APIError("entity.not_found", 404)


def unknown_reference(status: int = 404) -> APIError:
    """Return the error for an unknown id in the body. The routes of organizations answer it with 422."""
    return APIError("entity.relation_foreign_key_not_found", status)


def invalid_input(issues: Sequence[Issue], *, part: str = "body") -> APIError:
    """Return the 400 for input that does not match its schema."""
    return _zod_error("guard.invalid_input", issues, part)


def invalid_config(issues: Sequence[Issue]) -> APIError:
    """Return the 400 for a connector config that does not match the schema of its factory."""
    return _zod_error("connector.invalid_config", issues, "body")


def _zod_error(code: str, issues: Sequence[Issue], part: str) -> APIError:
    details = "\n".join(_detail(issue) for issue in issues)
    return APIError(code, 400, data={"issues": list(issues), "name": "ZodError"}, details=details, part=part)


def _detail(issue: Issue) -> str:
    path = ".".join(str(step) for step in issue["path"])
    if issue["code"] == "invalid_type":
        text = f"Expected {issue['expected']} but received {issue['received']}."
    else:
        text = issue["message"]
    return f'Error in key path "{path}": ({issue["code"]}) {text}'

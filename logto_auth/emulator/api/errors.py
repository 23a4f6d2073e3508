"""Errors of the Management API in Logto's JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .messages import message_of

Issue = dict[str, Any]


class APIError(Exception):
    """An error of the Management API. `data` and `details` are optional; `values` fill the placeholders of its message.

    A value named `details` is given as `reason`.
    """

    def __init__(
        self,
        code: str,
        status: int = 422,
        *,
        data: Any = None,
        details: str | None = None,
        reason: str | None = None,
        **values: Any,
    ) -> None:
        super().__init__(code)
        self.code, self.status, self.data, self.details = code, status, data, details
        self.values = {**values, **({} if reason is None else {"details": reason})}

    def body(self) -> dict[str, Any]:
        """Return Logto's JSON."""
        optional = {"data": self.data, "details": self.details}
        return {
            "code": self.code,
            **{name: value for name, value in optional.items() if value is not None},
            "message": message_of(self.code, self.values),
        }


class BrokenBody(Exception):
    """The body of the request is no JSON. Logto's answer has no code."""


def not_found() -> APIError:
    """Return the error for an unknown id of most records, and of all records when one is deleted."""
    return APIError("entity.not_found", 404)


def not_exists_with_id(table_name: str, record_id: str) -> APIError:
    """Return the error for an unknown id of a record that Logto finds by its table, such as `applications`."""
    return APIError("entity.not_exists_with_id", 404, name=table_name, id=record_id)


def not_exists(name: str) -> APIError:
    """Return the error for a change of an unknown record, such as a `hook`."""
    return APIError("entity.not_exists", 404, name=name)


def unknown_reference() -> APIError:
    """Return the error for an id in a relation, of a record that does not exist."""
    return APIError("entity.relation_foreign_key_not_found")


def no_values() -> APIError:
    """Return the error for a change or an insertion without any value."""
    return APIError("entity.invalid_input", reason="Value list must not be empty.")


def refused_input(reason: str, status: int = 400, *, data: Any = None) -> APIError:
    """Return the error for input that matches its schema but is refused for a reason."""
    return APIError("request.invalid_input", status, data=data, reason=reason)


def invalid_input(issues: Sequence[Issue], *, part: str = "body") -> APIError:
    """Return the 400 for input that does not match its schema. `part` is the part of the request at fault."""
    return _zod_error("guard.invalid_input", issues, type=part)


def invalid_config(issues: Sequence[Issue]) -> APIError:
    """Return the 400 for a connector config that does not match the schema of its factory."""
    return _zod_error("connector.invalid_config", issues)


def _zod_error(code: str, issues: Sequence[Issue], **values: Any) -> APIError:
    details = "\n".join(_detail(issue) for issue in issues)
    return APIError(code, 400, data={"issues": list(issues), "name": "ZodError"}, details=details, **values)


def _detail(issue: Issue) -> str:
    path = ".".join(str(step) for step in issue["path"])
    if issue["code"] == "invalid_type":
        text = f"Expected {issue['expected']} but received {issue['received']}."
    else:
        text = issue["message"]
    return f'Error in key path "{path}": ({issue["code"]}) {text}'

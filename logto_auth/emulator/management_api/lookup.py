"""Finding the records that a request names, and Logto's errors for records that do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from flask import request

from logto_auth.emulator.api.errors import APIError, not_exists, not_exists_with_id, not_found, unknown_reference
from logto_auth.emulator.state.records import Resource, Scope
from logto_auth.emulator.state.tenant import Tenant


class _HasId(Protocol):
    id: str


_Record = TypeVar("_Record")
_RecordWithId = TypeVar("_RecordWithId", bound=_HasId)


def existing(table: Mapping[str, _Record], record_id: str, table_name: str | None = None) -> _Record:
    """Return the record that the path names.

    Raise 404 `entity.not_exists_with_id` if there is none, and 404 `entity.not_found` without a `table_name`.
    """
    if record_id not in table:
        raise not_found() if table_name is None else not_exists_with_id(table_name, record_id)
    return table[record_id]


def of_path(table: Mapping[str, _Record], record_id: str, table_name: str) -> _Record:
    """Return the record of the organization routes that the path names.

    The error for an unknown one depends on the method. `table_name` is the plural, such as `organization_roles`.
    """
    if record_id in table:
        return table[record_id]
    if request.method == "GET":
        raise not_exists_with_id(table_name, record_id)
    if request.method == "PATCH":
        raise not_exists(table_name.removesuffix("s"))
    raise not_found() if request.method == "DELETE" else unknown_reference()


def with_id(records: Iterable[_RecordWithId], record_id: str) -> _RecordWithId:
    """Return the record with this id. Raise 404 `entity.not_found` if there is none."""
    for record in records:
        if record.id == record_id:
            return record
    raise not_found()


def named(table: Mapping[str, _Record], record_ids: Iterable[str], missing: Callable[[str], APIError]) -> list[_Record]:
    """Return the records that the body names by id, each once. Raise the error `missing(id)` for an unknown id."""
    wanted = list(dict.fromkeys(record_ids))
    for record_id in wanted:
        if record_id not in table:
            raise missing(record_id)
    return [table[record_id] for record_id in wanted]


def referenced(table: Mapping[str, _Record], record_ids: Iterable[str]) -> list[_Record]:
    """Return the records of a relation, each once. Raise 422 for an unknown id."""
    return named(table, record_ids, lambda record_id: unknown_reference())


def api_scopes_by_id(tenant: Tenant) -> dict[str, tuple[Resource, Scope]]:
    """Return all API permissions by id, each with its resource."""
    return {scope.id: (resource, scope) for resource in tenant.resources.values() for scope in resource.scopes.values()}

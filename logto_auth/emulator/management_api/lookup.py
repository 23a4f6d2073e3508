"""Finding the records that a request names, and Logto's errors for records that do not exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from logto_auth.emulator.state.records import Resource, Scope
from logto_auth.emulator.state.tenant import Tenant

from .api_errors import not_found, unknown_reference


class _HasId(Protocol):
    id: str


_Record = TypeVar("_Record")
_RecordWithId = TypeVar("_RecordWithId", bound=_HasId)


def existing(table: Mapping[str, _Record], record_id: str) -> _Record:
    """Return the record that the path names. Raise 404 `entity.not_found` if there is none."""
    if record_id not in table:
        raise not_found()
    return table[record_id]


def with_id(records: Iterable[_RecordWithId], record_id: str) -> _RecordWithId:
    """Return the record with this id. Raise 404 `entity.not_found` if there is none."""
    for record in records:
        if record.id == record_id:
            return record
    raise not_found()


def referenced(table: Mapping[str, _Record], record_ids: Iterable[str], *, status: int = 404) -> list[_Record]:
    """Return the records that the body names by id, each once.

    Raise `entity.relation_foreign_key_not_found` for an unknown id. Its status is 422 in the routes of organizations.
    """
    wanted = list(dict.fromkeys(record_ids))
    if any(record_id not in table for record_id in wanted):
        raise unknown_reference(status)
    return [table[record_id] for record_id in wanted]


def referenced_scopes(tenant: Tenant, scope_ids: Iterable[str], *, status: int = 404) -> list[tuple[Resource, Scope]]:
    """Return the API permissions that the body names by id, each with its resource. Errors are as in `referenced`."""
    by_id = {
        scope.id: (resource, scope) for resource in tenant.resources.values() for scope in resource.scopes.values()
    }
    return referenced(by_id, scope_ids, status=status)

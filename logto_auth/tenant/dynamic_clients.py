"""Dynamic clients of a tenant: their declaration. `dynamic_client_steps` has the part of a plan about them.

The `client_id` of a dynamic client is the https URL of a document that describes the client (Client ID Metadata
Document, CIMD). Nobody registers it at Logto, so the tenant has one limit for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .consent_scopes import ConsentScopes, consent_scope_errors

__all__ = ["DYNAMIC_CLIENTS", "DynamicClients", "dynamic_client_errors"]

# How steps and errors name them. The Logto Console calls them the dynamic app.
DYNAMIC_CLIENTS = "dynamic clients (CIMD)"


@dataclass(frozen=True, kw_only=True)
class DynamicClients(ConsentScopes):
    """Whether the tenant accepts dynamic clients, and the ceiling: what each of them may ask users for, at most.

    The tenant has one setting and one ceiling for all sites. The ceiling becomes what is declared, exactly: the
    commands remove other permissions from it. Needs Logto's development head, with its outbound guard on.
    """

    enabled: bool = True


def dynamic_client_errors(declared: DynamicClients | None) -> Iterator[str]:
    """Yield a sentence for each part that Logto would reject, or would accept and never use."""
    if declared is None:
        return
    if not isinstance(declared, DynamicClients):
        yield f"dynamic_clients is {declared!r:.80}, expected DynamicClients(...) or None."
        return
    if not isinstance(declared.enabled, bool):
        yield f"enabled of the {DYNAMIC_CLIENTS} is {declared.enabled!r:.80}, expected True or False."
    yield from consent_scope_errors(DYNAMIC_CLIENTS, declared)

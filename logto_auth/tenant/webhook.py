"""The part of a plan about the webhook that reports changes in Logto to the site."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .declaration import TenantDeclaration
from .steps import Step, change_step, creation_step, list_difference, merge, value_difference
from .uris import normalize_uri
from .webhook_events import check_events

if TYPE_CHECKING:
    from logto_auth.management_api.types import Hook, NewHook

__all__ = ["DeclaredWebhook", "find_webhooks"]


class DeclaredWebhook:
    """The webhook of a declaration, which is found by its URL. `id` is None until its step has created it."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declaration = declaration
        self._stored = next(iter(find_webhooks(api, declaration.webhook_url)), None) if self.is_needed else None
        self.id = self._stored["id"] if self._stored else None

    @property
    def is_needed(self) -> bool:
        """Whether the declaration has a webhook."""
        return bool(self._declaration.webhook_url and self._declaration.webhook_events)

    def step(self) -> Step:
        """Return the step that creates or changes the webhook. Raise ConfigurationError if Logto lacks an event."""
        url, events = self._declaration.webhook_url, self._declaration.webhook_events
        if errors := check_events(self._api, events, self._stored["events"] if self._stored else ()):
            raise ConfigurationError("\n".join(errors))
        if self._stored is None:
            return creation_step("webhook", url, {"events": list(events)}, self._create)
        differences = [
            list_difference("events", self._stored["events"], events),
            value_difference("enabled", self._stored["enabled"], True),
        ]
        return change_step("webhook", url, differences, self._change)

    def _create(self) -> None:
        url = self._declaration.webhook_url
        payload: NewHook = {
            "name": self._declaration.application or urlsplit(url).hostname or "",
            "events": list(self._declaration.webhook_events),
            "config": {"url": url},
            "enabled": True,
        }
        self.id = self._api.hooks.create(payload)["id"]

    def _change(self) -> None:
        assert self.id is not None  # only an existing webhook is changed
        events = merge(self._api.hooks.get(self.id)["events"], self._declaration.webhook_events)
        self._api.hooks.update(self.id, {"events": events, "enabled": True})


def find_webhooks(api: ManagementAPI, url: str) -> list[Hook]:
    """Return the webhooks that call `url`, oldest first. With more than one, each event arrives several times."""
    found = [each for each in api.hooks.all() if normalize_uri(each["config"].get("url", "")) == normalize_uri(url)]
    return sorted(found, key=lambda each: each["createdAt"])

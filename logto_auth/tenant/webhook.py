"""What a declaration means for the webhook by which Logto tells the site of changes."""

from __future__ import annotations

from urllib.parse import urlsplit

from logto_auth.management_api.client import ManagementAPI
from logto_auth.management_api.types import Hook

from .declaration import TenantDeclaration, normal_uri
from .steps import Step, change, creation, list_difference, united, value_difference


class OwnWebhook:
    """The webhook of a declaration, which is found by its address. `id` is its id, None until a step has made it."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declaration = declaration
        self._stored = next(iter(find_webhooks(api, declaration.webhook_url)), None) if self.is_wanted else None
        self.id = self._stored["id"] if self._stored else None

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be one at all."""
        return bool(self._declaration.webhook_url and self._declaration.webhook_events)

    def step(self) -> Step:
        """The step that makes it, or changes it."""
        url, events = self._declaration.webhook_url, self._declaration.webhook_events
        if self._stored is None:
            return creation("webhook", url, {"events": list(events)}, self._create)
        differences = [
            list_difference("events", self._stored["events"], events),
            value_difference("enabled", self._stored["enabled"], True),
        ]
        return change("webhook", url, differences, self._change)

    def _create(self) -> None:
        url = self._declaration.webhook_url
        payload = {
            "name": self._declaration.application or urlsplit(url).hostname or "",
            "events": list(self._declaration.webhook_events),
            "config": {"url": url},
            "enabled": True,
        }
        self.id = self._api.hooks.create(payload)["id"]

    def _change(self) -> None:
        assert self.id is not None  # a change is of what is there
        events = united(self._api.hooks.get(self.id)["events"], self._declaration.webhook_events)
        self._api.hooks.update(self.id, {"events": events, "enabled": True})


def find_webhooks(api: ManagementAPI, url: str) -> list[Hook]:
    """The webhooks that call `url`, the oldest first. More than one means that each event is told as often."""
    found = [each for each in api.hooks.all() if normal_uri(each["config"].get("url", "")) == normal_uri(url)]
    return sorted(found, key=lambda each: each["createdAt"])

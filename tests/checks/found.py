"""What the tests of the system checks share."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage
from django.test import override_settings

from logto_auth.checks import check_accounts, check_credentials, check_deployment, check_project, check_settings


def messages(settings: dict[str, Any], *, deploy: bool = False) -> list[CheckMessage]:
    """Return the messages of our checks with these settings."""
    with override_settings(**settings):
        return [*check_settings(), *check_project(), *check_accounts(), *(_deployment() if deploy else [])]


def _deployment() -> list[CheckMessage]:
    return [*check_credentials(), *check_deployment()]


def ids(found: list[CheckMessage]) -> str:
    """Return the ids without the name of the app, sorted and separated by spaces."""
    return " ".join(sorted({str(message.id).removeprefix("logto_auth.") for message in found}))

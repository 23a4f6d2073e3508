"""A staff member acts as a user, and returns."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

from .conftest import Events

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]


def who(browser: Browser, path: str = "/") -> dict[str, Any]:
    """Return what the page says of its user."""
    response = browser.client.get(path)
    assert response.status_code == 200, (response.status_code, response.get("Location"))
    values: dict[str, Any] = response.json()
    return values


def test_staff_acts_as_user_and_returns(staff: Browser, events: Events) -> None:
    staff.client.get("/note?note=own")
    own_cookie = staff.client.cookies[settings.SESSION_COOKIE_NAME].value
    own_row = LogtoSession.objects.get(user__username="editor")

    response = staff.client.post("/start/reader", {"reason": " Ticket 4711 "})
    assert response["Location"] == "/"
    assert staff.client.cookies[settings.SESSION_COOKIE_NAME].value != own_cookie
    assert who(staff) == {
        "user": "reader",
        "sub": "reader000001",
        "impersonator": "editor",
        "reason": "Ticket 4711",
        "note": None,
    }
    staff.client.get("/note?note=theirs")
    assert who(staff)["note"] == "theirs"

    assert staff.client.post("/support-access/leave").json() == {"left": "editor"}
    assert staff.client.cookies[settings.SESSION_COOKIE_NAME].value == own_cookie
    assert who(staff) == {
        "user": "editor",
        "sub": "editor000001",
        "impersonator": None,
        "reason": None,
        "note": "own",
    }
    assert LogtoSession.objects.get(user__username="editor") == own_row
    assert not LogtoSession.objects.impersonations().exists()
    assert events.short == [
        ("started", "reader", "editor", "Ticket 4711"),
        ("ended", "reader", "editor", "left"),
    ]

"""Sockets of staff who act as a user: they have the user, and close with either session."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.contrib.asgi import CLOSE_CODE
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.sockets.sites import ORIGIN, Socket, cookie_of, in_database, run, site

from .test_journey import who

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.impersonation.site")]
User = get_user_model()


@pytest.fixture(autouse=True)
def each_second(settings: Any) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1


def end_own_row(acting: Browser) -> None:
    LogtoSession.objects.filter(user__username="editor").end(reason="signed_out_at_logto")


def deactivate_staff(acting: Browser) -> None:
    User.objects.filter(username="editor").update(is_active=False)


def leave(acting: Browser) -> None:
    acting.client.post("/support-access/leave")


@pytest.mark.parametrize("end", [end_own_row, deactivate_staff, leave], ids=lambda end: end.__name__)
def test_socket_closes_with_either_session(acting: Browser, end: Callable[[Browser], None]) -> None:
    async def scenario() -> tuple[int, str]:
        socket = Socket(site(), cookie_of(acting), ORIGIN)
        opened = await socket.opened()
        assert (opened["user"], opened["sub"]) == ("reader", "reader000001")
        await in_database(lambda: end(acting))
        ended = await socket.close_code()
        await socket.wait(5)
        return ended

    assert run(scenario) == (CLOSE_CODE, "session_ended")


def test_socket_closes_when_the_time_is_over(acting: Browser) -> None:
    LogtoSession.objects.impersonations().update(impersonation_ends_at=time.time() + 1.5)

    async def scenario() -> tuple[int, str]:
        socket = Socket(site(), cookie_of(acting), ORIGIN)
        assert (await socket.opened())["user"] == "reader"
        ended = await socket.close_code()
        await socket.wait(5)
        return ended

    assert run(scenario)[0] == CLOSE_CODE


def test_socket_after_the_end_has_no_user_and_leaves_the_return_to_the_page(acting: Browser) -> None:
    LogtoSession.objects.impersonations().update(impersonation_ends_at=1)

    async def scenario() -> dict[str, Any]:
        socket = Socket(site(), cookie_of(acting), ORIGIN)
        opened: dict[str, Any] = await socket.opened()
        await socket.disconnect()
        return opened

    opened = run(scenario)
    assert (opened["user"], opened["sub"]) == ("", None)
    assert acting.client.get("/").status_code == 302
    assert who(acting)["user"] == "editor"


def test_read_only_has_no_sockets(acting: Browser, settings: Any) -> None:
    settings.LOGTO_IMPERSONATION_READ_ONLY = True

    async def scenario() -> int:
        return await Socket(site(), cookie_of(acting), ORIGIN).refused()

    assert run(scenario) == 4403

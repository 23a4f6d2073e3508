"""Times of Logto on the account pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.template import Context, Template

from logto_auth.account.applications import connected_applications
from logto_auth.account.factors import added_at
from logto_auth.account.signed_in import signed_in_places
from logto_auth.account.times import local_time

SECONDS = 1_795_986_000  # 2026-11-29 21:00 in UTC, 06:00 of the next day in Tokyo


@pytest.fixture(params=[True, False])
def site_in_tokyo(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    settings.USE_TZ = request.param


def shown(value: Any) -> str:
    return Template('{{ value|date:"Y-m-d H:i" }}').render(Context({"value": value}))


@pytest.mark.usefixtures("site_in_tokyo")
@pytest.mark.parametrize("value", [SECONDS, "2026-11-29T21:00:00.000Z"])
def test_time_is_shown_in_time_zone_of_site(value: Any) -> None:
    assert shown(local_time(value)) == "2026-11-30 06:00"


@pytest.mark.parametrize("value", [None, "", "yesterday", "2026-11-29T21:00:00", "2026-13-29T21:00:00Z", 1e30, [], {}])
def test_other_value_is_no_time(value: Any) -> None:
    assert local_time(value) is None


@pytest.mark.usefixtures("site_in_tokyo")
def test_pages_show_times_of_site() -> None:
    session: Any = {"payload": {"uid": "s1", "loginTs": SECONDS}}
    grant: Any = {"id": "g1", "application": {"id": "a1"}, "payload": {"iat": SECONDS}}
    factor: Any = {"id": "f1", "createdAt": "2026-11-29T21:00:00.000Z"}
    times = [
        signed_in_places([], [session], current_id=None)[0].since,
        connected_applications([grant])[0].since,
        added_at(factor),
    ]
    assert [shown(time) for time in times] == ["2026-11-30 06:00"] * 3

"""Times of Logto, for the templates of the account pages."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.timezone import localtime

__all__ = ["local_time"]


def local_time(value: Any) -> datetime | None:
    """Return `value` in the current time zone: seconds since the epoch, or a text by ISO 8601 with an offset.

    Return None if it is neither. The template filters convert to local time themselves, except with `USE_TZ = False`.
    """
    with suppress(TypeError, ValueError, OverflowError, OSError):
        moment = parse_datetime(value) if isinstance(value, str) else datetime.fromtimestamp(value, tz=timezone.utc)
        return localtime(moment) if moment else None
    return None

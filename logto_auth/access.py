"""The questions that decorators, mixins and templates ask of a request."""

from __future__ import annotations

from django.http import HttpRequest

from . import sessions
from .conf import conf
from .context import LogtoContext


def signed_in_recently(request: HttpRequest, max_age: int) -> bool:
    """Whether the visitor has proved at Logto who they are within `max_age` seconds, by the verified `auth_time`."""
    age = sessions.seconds_since_authentication(LogtoContext(request).claims)
    # As much as the callback allows, or a sign-in that it took could still not be recent enough here.
    return age is not None and age <= max_age + conf.clock_skew_seconds

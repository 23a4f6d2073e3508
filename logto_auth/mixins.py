"""What a class-based view can demand: the mixins beside `decorators`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.generic import View

from .decorators import demand_recent_sign_in


class RecentSignInRequiredMixin(View):
    """Runs the view only for somebody who has signed in at Logto within `max_age` seconds; see the decorator."""

    max_age = 300

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return demand_recent_sign_in(request, self.max_age) or super().dispatch(request, *args, **kwargs)

"""What a view can demand, as decorators; shells over `access`. `mixins` has the same for classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase

from .access import signed_in_recently
from .answers import is_from_script, page_of, unauthorized_response
from .sign_in import sign_in_url

View = Callable[..., Any]


def recent_sign_in_required(max_age: int = 300) -> Callable[[View], View]:
    """Run the view only for somebody who has signed in at Logto within `max_age` seconds.

    Others go to Logto, which asks them again if their sign-in there is older, and come back to the page. A form that
    was sent is not carried out: they come back to the page that it is on. Scripts get a 401 that says where to go.
    """

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def async_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                answer = await sync_to_async(demand_recent_sign_in)(request, max_age)
                return answer or await cast(Awaitable[HttpResponseBase], view(request, *args, **kwargs))

            return async_view

        @wraps(view)
        def sync_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return demand_recent_sign_in(request, max_age) or cast(HttpResponseBase, view(request, *args, **kwargs))

        return sync_view

    return decorate


def demand_recent_sign_in(request: HttpRequest, max_age: int) -> HttpResponseBase | None:
    """None when the visitor has signed in recently enough; else the answer to give instead of the view's."""
    if signed_in_recently(request, max_age):
        return None
    if is_from_script(request):
        return unauthorized_response(request, max_age=max_age)
    page = request.get_full_path() if request.method == "GET" else page_of(request)
    return HttpResponseRedirect(sign_in_url(page, max_age=max_age))

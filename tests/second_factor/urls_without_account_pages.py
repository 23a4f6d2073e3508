"""The same site without the account pages, and a middleware that lets users act as another one."""

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse

from . import urls

urlpatterns = [pattern for pattern in urls.urlpatterns if getattr(pattern, "app_name", "") != "logto_account"]


def act_as_other(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        request.user = get_user_model().objects.get(username="other")
        return get_response(request)

    return middleware

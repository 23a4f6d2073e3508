"""A site with the pages of support access, and pages of every kind for the banner."""

from __future__ import annotations

import gzip
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition

from logto_auth.decorators import role_required
from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

MANAGEMENT_ROLE = "Logto Management API access"
BANNER = 'data-logto-banner="'
PAGE = (
    '<!doctype html><html lang="en"><head><title>Shop</title></head><body class="shop"><main>Hello</main></body></html>'
)


def page(request: HttpRequest, **headers: str) -> HttpResponse:
    return HttpResponse(PAGE.replace("Hello", f"Hello {request.user}"), headers=headers)


def with_tag(request: HttpRequest) -> HttpResponse:
    text = PAGE.replace("<main>", "{% load logto %}{% logto_impersonation_banner %}<main>")
    return HttpResponse(Template(text).render(RequestContext(request)))


async def asynchronous(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(PAGE.replace("Hello", f"Hello {user}"))


def in_charset(request: HttpRequest, charset: str) -> HttpResponse:
    return HttpResponse(PAGE.replace("Hello", "Grüße").encode(charset), content_type=f"text/html; charset={charset}")


def of_kind(request: HttpRequest, kind: str) -> Any:
    """Return a response that gets no banner."""
    return {
        "json": lambda: JsonResponse({"page": PAGE}),
        "text": lambda: HttpResponse(PAGE, content_type="text/plain"),
        "xhtml": lambda: HttpResponse(PAGE, content_type="application/xhtml+xml"),
        "gzip": lambda: HttpResponse(gzip.compress(PAGE.encode()), headers={"Content-Encoding": "gzip"}),
        "download": lambda: page(request, **{"Content-Disposition": 'Attachment; filename="page.html"'}),
        "stream": lambda: StreamingHttpResponse([PAGE]),
        "file": lambda: FileResponse(iter([PAGE.encode()]), content_type="text/html"),
        "fragment": lambda: HttpResponse("<p>No body</p>"),
        "part": lambda: HttpResponse(PAGE, status=206),
    }[kind]()


def with_headers(request: HttpRequest) -> HttpResponse:
    response = page(request, **{"Cache-Control": "public, max-age=600", "CDN-Cache-Control": "max-age=9"})
    response["Expires"] = "Thu, 01 Jan 2099 00:00:00 GMT"
    response["Content-Length"] = str(len(response.content))
    return response


@condition(etag_func=lambda request: '"one"')
def with_etag(request: HttpRequest) -> HttpResponse:
    return page(request)


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("the page has failed")


@csrf_exempt
def change(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Changed by {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("support-access/", include("logto_auth.impersonation.urls")),
    path("admin/", admin.site.urls),
    path("", page),
    path("tag", with_tag),
    path("async", asynchronous),
    path("charset/<str:charset>", in_charset),
    path("kind/<str:kind>", of_kind),
    path("headers", with_headers),
    path("etag", with_etag),
    path("failing", failing),
    path("cached", cache_page(600)(page)),
    path("cached-tag", cache_page(600)(with_tag)),
    path("change", change),
    path("editors", role_required("editor")(page)),
]


def set_up(logto: Emulator, settings: Any) -> None:
    """Let the site act as users, and Logto have a clerk and the customer Ada."""
    cache.clear()
    settings.ROOT_URLCONF = "tests.impersonation.pages_site"
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    tenant = logto.tenant
    machine = tenant.add_application(name="Site", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    tenant.add_user(username="clerk", id="clerk0000001", name="Clara Clerk")
    tenant.add_user(username="ada", id="ada000000001", name="Ada <b>", primary_email="ada@shop.example")


class Clerk:
    """A staff member who may act as users, at a site where Ada has an account."""

    def __init__(self, logto: Emulator) -> None:
        self.customer_browser = Browser(logto)
        self.customer_browser.sign_in("ada")
        self.browser = Browser(logto)
        self.browser.sign_in("clerk")
        self.client = self.browser.client
        self.user = get_user_model().objects.get(username="clerk")
        self.ada = get_user_model().objects.get(username="ada")
        self.user.is_staff = True
        self.user.save()
        self.user.user_permissions.add(
            *Permission.objects.filter(codename__in=["impersonate_users", "view_user", "view_logtoidentity"])
        )

    @property
    def page_of_ada(self) -> str:
        return f"/support-access/users/{self.ada.pk}"

    def start(self, **data: Any) -> Any:
        """Send the form of the page of Ada."""
        return self.client.post(self.page_of_ada, {"action": "start", "reason": "Ticket 5", "seconds": "1800", **data})

    def get(self, path: str = "/", **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def has_banner(self, path: str = "/", **headers: str) -> bool:
        return BANNER in self.get(path, **headers).content.decode()

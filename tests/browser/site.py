"""A small site whose pages load what `settings.TEST_SCRIPT` names, such as a navigation library."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path
from django.views.decorators.http import require_GET, require_POST

from logto_auth.decorators import role_required
from logto_auth.views import AcceptInvitationView

NODE_MODULES = Path(__file__).parents[2] / "build" / "npm" / "node_modules"

SPECULATION_RULES = """<script type="speculationrules">
{"%s": [{"where": {"href_matches": "/*"}, "eagerness": "immediate"}]}</script>"""

SCRIPTS = {
    "": "",
    "turbo": '<script src="/npm/@hotwired/turbo/dist/turbo.es2017-umd.js"></script>',
    "htmx": '<script src="/npm/htmx.org/dist/htmx.js"></script>',
    "htmx2": '<script src="/npm/htmx2/dist/htmx.js"></script>',
    "unpoly": """<script src="/npm/unpoly/unpoly.js"></script>
        <script>up.link.config.followSelectors.push("a[href]"); up.form.config.submitSelectors.push("form")</script>""",
    "service-worker": '<script>navigator.serviceWorker.register("/worker.js")</script>',
    "prefetch": SPECULATION_RULES % "prefetch",
    "prerender": SPECULATION_RULES % "prerender",
    "link-prefetch": '<link rel="prefetch" href="/sign-in"><link rel="prefetch" href="/orders/?page=2">',
}

# The worker of many guides: what it has not stored, it requests.
WORKER = """
addEventListener("install", event => skipWaiting())
addEventListener("activate", event => event.waitUntil(clients.claim()))
addEventListener("fetch", event => event.respondWith(
  caches.match(event.request).then(response => response || fetch(event.request))))
"""

# htmx 4 inherits an attribute only if its name says so.
PAGE = """{% load logto %}<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ title }}</title>{{ script|safe }}</head>
<body hx-boost="true" hx-boost:inherited="true">
  <main>
    <h1>{{ title }}</h1>
    {% if user.is_authenticated %}
      <p>Hello {{ user }}</p>
      {% logto_sign_out_button %}{% logto_sign_out_others_button %}{% logto_organization_switcher "Branch" %}
    {% else %}
      <p>Hello stranger</p>
      {% logto_sign_in_button %} <a href="{% logto_sign_in_url %}">Plain link</a>
    {% endif %}
    <a href="/">Home</a> <a href="/orders/?page=2">Orders</a> <a href="/editors/">Editors</a>
    <form method="post" action="/wishlist/">{% csrf_token %}<button>Add to the wishlist</button></form>
    <form method="post" action="/editors/">{% csrf_token %}<button>Publish</button></form>
    <div id="part"><button hx-get="/part/" hx-target="#part">Part for htmx</button>
      <a href="/part/" up-target="#part">Part for Unpoly</a></div>
    <turbo-frame id="frame"><a href="/part/">Part for Turbo</a></turbo-frame>
  </main>
</body>
</html>"""


def page(request: HttpRequest, title: str) -> HttpResponse:
    context = RequestContext(request, {"user": request.user, "title": title, "script": SCRIPTS[settings.TEST_SCRIPT]})
    response = HttpResponse(Template(PAGE).render(context))
    response["Content-Security-Policy"] = "default-src 'self' 'unsafe-inline' 'unsafe-eval'"
    return response


@require_GET
def part(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<p id="part">A part</p><turbo-frame id="frame">A frame</turbo-frame>')


@require_POST
def add_to_wishlist(request: HttpRequest) -> HttpResponse:
    return page(request, "Added")


def npm(request: HttpRequest, file: str) -> FileResponse:
    return FileResponse((NODE_MODULES / file).open("rb"), content_type="text/javascript")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("accept-invitation", AcceptInvitationView.as_view()),
    path("admin/", admin.site.urls),
    path("", page, {"title": "Home"}),
    path("shelf/", page, {"title": "Shelf"}),
    path("orders/", login_required(page), {"title": "Orders"}),
    path("editors/", role_required("editor")(page), {"title": "Editors"}),
    path("wishlist/", login_required(add_to_wishlist)),
    path("part/", login_required(part)),
    path("worker.js", lambda request: HttpResponse(WORKER, content_type="text/javascript")),
    path("npm/<path:file>", npm),
]

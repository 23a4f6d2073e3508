"""The URLs of a site with support access, whose pages have a strict Content Security Policy, and a shop."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path

PAGE = """{% load logto %}<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ title }}</title></head>
<BODY CLASS="shop">
  <a href="#content">Skip to the content</a>
  <main id="content">
    <h1>{{ title }}</h1>
    <p>Hello {{ user }}, at Logto {{ request.logto.claims.email }}</p>
    <p><a href="/">Home</a> <a href="/orders">Orders</a></p>
    <form method="post" action="/buy">{% csrf_token %}<button>Buy</button></form>
    {% logto_sign_out_button %}
    {% for line in lines %}<p>Line {{ line }}</p>{% endfor %}
    <p><a href="/last">Last link</a></p>
  </main>
</BODY>
</html>"""


def page(request: HttpRequest, title: str = "Shop") -> HttpResponse:
    context = RequestContext(request, {"user": request.user, "title": title, "lines": range(40)})
    return HttpResponse(Template(PAGE).render(context))


@login_required
def buy(request: HttpRequest) -> HttpResponse:
    return page(request, f"Bought for {request.user}")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("support-access/", include("logto_auth.impersonation.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("admin/", admin.site.urls),
    path("", page),
    path("orders", login_required(page), {"title": "Orders"}),
    path("buy", buy),
]

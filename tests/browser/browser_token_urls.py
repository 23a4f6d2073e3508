"""A page whose script calls an API on another origin, with the script of the how-to page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import RequestContext, Template
from django.urls import include, path

from tests.docs.pages import the_block

BROWSER_APPS = "docs/how-to/browser-apps.md"
PAGE = """{% load logto %}<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Books</title></head><body>{% csrf_token %}
{% if user.is_authenticated %}<p>Hello {{ user }}</p>{% endif %}{% logto_sign_in_button %}
<button id="load">Load books</button><p id="books">No books yet</p>
<script type="module" src="/page.js"></script></body></html>"""
PAGE_SCRIPT = """import { callApi } from "/access-token.js";
const API = "https://books.example/api";
document.getElementById("load").addEventListener("click", async () => {
  const books = document.getElementById("books");
  try {
    const response = await callApi(`${API}/books`, API);
    books.textContent = await response.text();
  } catch (error) { books.textContent = error.message; }
});
"""


def page(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(Template(PAGE).render(RequestContext(request, {"user": request.user})))
    response["Content-Security-Policy"] = "default-src 'self'; connect-src 'self' https://books.example"
    return response


def script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(the_block(BROWSER_APPS, "access-token.js").code, content_type="text/javascript")


def page_script(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE_SCRIPT, content_type="text/javascript")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", page),
    path("page.js", page_script),
    path("access-token.js", script),
]

"""The banner of support access: on which pages it is, and that no cache stores them."""

from __future__ import annotations

import gzip
import re
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.test import AsyncClient, Client

from logto_auth.emulator import Emulator
from logto_auth.impersonation.banner import body_start

from .pages_site import BANNER, PAGE, Clerk, set_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(logto: Emulator, settings: Any) -> Clerk:
    set_up(logto, settings)
    clerk = Clerk(logto)
    assert clerk.start().status_code == 302
    return clerk


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", response.content.decode()).split())


def test_page_gets_the_banner_after_body(clerk: Clerk) -> None:
    page = clerk.get().content.decode()
    assert '<body class="shop"><div class="logto-impersonation logto-impersonation-inserted"' in page
    assert page.count(BANNER) == 1
    assert "Hello ada" in page


def test_banner_says_who_until_when_and_why(clerk: Clerk) -> None:
    response = clerk.get()
    assert re.search(r"Support access: until \d\d?:\d\d \w\.m\. you act as ada\. Reason: Ticket 5", text_of(response))
    assert 'role="region" aria-label="Support access"' in response.content.decode()
    assert "Read-only" not in text_of(response)


def test_own_pages_and_pages_of_others_have_none(clerk: Clerk) -> None:
    assert BANNER not in clerk.customer_browser.client.get("/").content.decode()
    assert BANNER not in Client().get("/").content.decode()
    clerk.client.post("/support-access/leave")
    assert not clerk.has_banner()
    assert not clerk.has_banner("/tag")


def test_values_are_escaped(logto: Emulator, settings: Any) -> None:
    set_up(logto, settings)
    clerk = Clerk(logto)
    clerk.start(reason='<script>"é')
    page = clerk.get().content.decode()
    assert "<script>" not in page
    assert "&lt;script&gt;&quot;&#233;" in page


def test_tag_decides_the_place(clerk: Clerk) -> None:
    page = clerk.get("/tag").content.decode()
    assert page.count(BANNER) == 1
    assert "logto-impersonation-inserted" not in page


def test_page_with_a_copy_of_the_banner_gets_its_own(clerk: Clerk, settings: Any) -> None:
    copy = clerk.get("/tag").content.decode()
    marks = re.findall(r'data-logto-banner="(\w+)"', copy + clerk.get("/tag").content.decode())
    assert len(set(marks)) == 2, "a page cannot guess the mark of the next one"


def test_setting_leaves_the_banner_to_the_tag(clerk: Clerk, settings: Any) -> None:
    settings.LOGTO_IMPERSONATION_BANNER = False
    assert not clerk.has_banner("/")
    assert clerk.has_banner("/tag")


def test_read_only_is_marked(clerk: Clerk, settings: Any) -> None:
    settings.LOGTO_IMPERSONATION_READ_ONLY = True
    assert "Read-only" in text_of(clerk.get())


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "gb18030", "utf-16"])
def test_page_keeps_its_charset(clerk: Clerk, charset: str) -> None:
    page = clerk.get(f"/charset/{charset}").content.decode(charset)
    assert BANNER in page
    assert "Grüße" in page


@pytest.mark.parametrize("kind", ["json", "text", "xhtml", "gzip", "download", "fragment", "part"])
def test_other_responses_are_not_changed(clerk: Clerk, kind: str) -> None:
    content = clerk.get(f"/kind/{kind}").content
    if kind == "gzip":
        assert gzip.decompress(content).decode() == PAGE
    assert BANNER.encode() not in content


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_streams_are_not_changed(clerk: Clerk, kind: str) -> None:
    response = clerk.get(f"/kind/{kind}")
    assert b"".join(response.streaming_content).decode() == PAGE
    assert response["Cache-Control"] == "no-store, private"


@pytest.mark.parametrize(
    "headers",
    [{"HX-Request": "true"}, {"X-Requested-With": "XMLHttpRequest"}, {"Sec-Fetch-Mode": "cors"}],
)
def test_parts_for_scripts_have_none(clerk: Clerk, headers: dict[str, str]) -> None:
    assert not clerk.has_banner("/", **headers)


@pytest.mark.parametrize(
    "headers",
    [{"HX-Request": "true", "HX-Boosted": "true"}, {"X-Turbo-Request-Id": "1", "Sec-Fetch-Mode": "cors"}],
)
def test_pages_of_navigation_libraries_have_one(clerk: Clerk, headers: dict[str, str]) -> None:
    assert clerk.has_banner("/", **headers)


def test_error_pages_have_one(clerk: Clerk) -> None:
    clerk.client.raise_request_exception = False
    for path, status in (("/missing", 404), ("/failing", 500), ("/editors", 403)):
        response = clerk.get(path)
        assert (response.status_code, BANNER in response.content.decode()) == (status, True)


def test_failing_context_processor_does_not_hide_it(clerk: Clerk, settings: Any) -> None:
    options = settings.TEMPLATES[0]["OPTIONS"]
    processors = [*options["context_processors"], "tests.impersonation.pages_site.failing"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": processors}}]
    page = clerk.get().content.decode()
    assert BANNER in page
    assert re.search(r'name="csrfmiddlewaretoken" value="\w{64}"', page)


@pytest.mark.parametrize("path", ["/", "/tag"])
def test_no_cache_may_store_the_page(clerk: Clerk, path: str) -> None:
    response = clerk.get(path)
    assert response["Cache-Control"] == "no-store, private"
    assert "Cookie" in response["Vary"]


def test_headers_of_the_page_are_corrected(clerk: Clerk) -> None:
    response = clerk.get("/headers")
    assert response["Content-Length"] == str(len(response.content))
    assert response["Cache-Control"] == "no-store, private"
    assert not {"Expires", "CDN-Cache-Control"} & set(response.headers)


def test_page_in_the_browser_cache_is_not_shown_again(clerk: Clerk) -> None:
    response = clerk.get("/etag", **{"If-None-Match": '"one"'})
    assert response.status_code == 200
    assert BANNER in response.content.decode()
    assert "ETag" not in response
    assert clerk.customer_browser.client.get("/etag", headers={"If-None-Match": '"one"'}).status_code == 304


@pytest.mark.parametrize("path", ["/cached", "/cached-tag"])
def test_cached_view_stores_no_banner(clerk: Clerk, path: str) -> None:
    assert clerk.has_banner(path)
    assert BANNER not in Client().get(path).content.decode()


def test_cache_of_the_site_stores_no_banner(clerk: Clerk, settings: Any) -> None:
    settings.MIDDLEWARE = [
        "django.middleware.cache.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        "django.middleware.cache.FetchFromCacheMiddleware",
    ]
    client = Client()
    client.cookies = clerk.client.cookies
    clerk.client = client
    cache.clear()
    for path in ("/headers", "/tag", "/"):
        assert clerk.has_banner(path)
        assert clerk.has_banner(path)
    assert BANNER not in Client().get("/headers").content.decode()


def test_button_leaves(clerk: Clerk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = clerk.client.cookies
    page = client.get("/").content.decode()
    form = re.search(r'<form method="post" action="(.*?)" data-turbo="false" hx-boost="false".*?value="(\w+)"', page)
    assert form
    assert client.post(form[1]).status_code == 403
    response = client.post(form[1], {"csrfmiddlewaretoken": form[2]})
    assert response["Location"] == f"/admin/auth/user/{clerk.ada.pk}/change/"
    assert "Hello clerk" in client.get("/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_async_site_has_it(clerk: Clerk) -> None:
    client = AsyncClient()
    client.cookies = clerk.client.cookies
    page = async_to_sync(client.get)("/async").content.decode()
    assert "Hello ada" in page
    assert page.count(BANNER) == 1


@pytest.mark.parametrize(
    ("page", "after"),
    [
        ("<body>x", "<body>"),
        ("<html><BODY\n class='a>b' data-x=\"c>\">x", 'data-x="c>">'),
        ("<!-- <body> --><body id=1>x", "id=1>"),
        ("<script>'<body>'</script ><Style><body></style><title><body></title><body>x<body>", "</title><body>"),
        ("<bodyguard></bodyguard><body>x", "</bodyguard><body>"),
        ("<!--><body>", "<!--><body>"),
        ("<!---><body>", "<!---><body>"),
        ("<!-- a --!><body>", "<!-- a --!><body>"),
        ("<!--!><body>--><body id=b>", "<body id=b>"),
    ],
)
def test_start_of_body_is_found(page: str, after: str) -> None:
    assert body_start(page) == page.index(after) + len(after)


@pytest.mark.parametrize("page", ["", "<p>x", "<body", '<body class="', "<!-- <body>", "<script><body>", "<bodies>"])
def test_page_without_body_has_no_start(page: str) -> None:
    assert body_start(page) is None


@pytest.mark.parametrize("page", ["<!--" * 200_000, "<script>" * 100_000, '<body "' * 100_000, "<body '\">" * 100_000])
def test_long_pages_take_linear_time(page: str) -> None:
    started = time.perf_counter()
    body_start(page)
    assert time.perf_counter() - started < 1

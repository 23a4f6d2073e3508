"""What holds on every page: languages, security headers, nothing from elsewhere, names for all controls."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client

from .test_covers import contrast

PAGES = [
    "/",
    "/?q=emma",
    "/books/emma-jane-austen/",
    "/basket/",
    "/account/",
    "/account/claims",
    "/orders/",
    "/books/add/",
    "/branches/",
    "/branches/harbourbr001/stock/",
    "/no-such-page/",
]


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture
def page(editor_client, emma, request):
    editor_client.post(f"/basket/{emma.slug}/add/", {"quantity": 1})
    return editor_client.get(request.param)


@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_pages_load_only_own_files_and_no_script(page):
    elements = Elements(page.text)
    assert not elements.all("script", "style", "iframe")
    for element in elements.all("link", "img"):
        address = element.get("src") or element.get("href") or ""
        assert re.match(r"/(?!/)", address), address
    assert not [attributes for _tag, attributes in elements.found if "style" in attributes]
    assert "default-src 'self'" in page["Content-Security-Policy"]


@pytest.mark.parametrize("page", PAGES, indirect=True)
def test_pages_have_labels_and_headings(page):
    elements = Elements(page.text)
    ids = [attributes["id"] for _tag, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(elements.all("h1")) == len(elements.all("main")) == 1
    assert elements.all("a")[0] == {"class": "skip-link", "href": "#content"}
    assert all("alt" in image for image in elements.all("img"))
    labelled = {label.get("for") for label in elements.all("label")}
    for field in elements.all("input", "select", "textarea"):
        if field.get("type") not in ("hidden", "submit"):
            assert field.get("id") in labelled or field.get("aria-label"), field
    referred = [attributes["aria-labelledby"] for _tag, attributes in elements.found if "aria-labelledby" in attributes]
    assert set(referred) <= set(ids)
    assert re.search(r"<title>\s*\S", page.text)


def test_signed_out_visitors_see_both_sign_in_buttons(client, emma):
    header = client.get(emma.get_absolute_url()).text.split("</header>")[0]
    assert re.search(r'href="/sign-in\?next=[^"]*emma[^"]*"[^>]*>Sign in<', header)
    assert re.search(
        r'href="/sign-in\?[^"]*direct_sign_in=social(:|%3A)alipay[^"]*"[^>]*>Continue with Alipay<', header
    )


def test_signed_in_users_see_account_and_sign_out(reader_client):
    header = reader_client.get("/").text.split("</header>")[0]
    # Logto does not manage the account of a user who is signed in without Logto.
    assert 'href="/account/claims"' in header
    assert 'action="/sign-out"' in header
    assert "Continue with Alipay" not in header


def test_signing_out_may_lead_to_logto(client, db, settings):
    settings.LOGTO_ENDPOINT = "https://tenant.logto.example/"
    assert "form-action 'self' https://tenant.logto.example;" in client.get("/")["Content-Security-Policy"]


def test_security_headers(client, db):
    headers = client.get("/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


# Errors before or outside of the site's frame


@pytest.mark.parametrize("template", ["400.html", "500.html", "403_csrf.html"])
def test_plain_errors_need_neither_request_nor_database(template):
    assert "<h1>" in render_to_string(template)


def test_server_error_shows_the_shop_s_page(db, monkeypatch, settings):
    monkeypatch.setattr("bookstore.catalog.views.BookList.get", lambda *args, **kwargs: 1 / 0)
    response = Client(raise_request_exception=False).get("/")
    assert response.status_code == 500
    assert "Something went wrong" in response.text


# Languages


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "Add to basket"), ("ja", "かごに入れる"), ("zh-hans", "放入购物篮"), ("fr", "Add to basket")],
)
def test_the_browser_chooses_the_language(client, emma, language, words):
    response = client.get(emma.get_absolute_url(), headers={"accept-language": language})
    assert words in response.text
    assert f'<html lang="{language if language != "fr" else "en"}">' in response.text


@pytest.mark.parametrize(("language", "words"), [("ja", "検索"), ("zh-hans", "搜索")])
def test_language_switch_persists(client, emma, language, words):
    response = client.post("/i18n/setlang/", {"language": language, "next": "/?q=emma"}, follow=True)
    assert response.redirect_chain == [("/?q=emma", 302)]
    assert words in response.text
    assert f'lang="{language}" aria-current="true"' in response.text
    assert words in client.get("/basket/").text


@pytest.mark.parametrize("locale", ["ja", "zh_Hans"])
def test_every_text_is_translated_and_compiled(locale):
    folder = Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as file:
        catalog = read_po(file, locale=locale)
    for message in catalog:
        if message.id:
            assert all(message.string) if isinstance(message.string, tuple) else message.string, message.id
            assert not message.fuzzy, message.id
            placeholders = set(re.findall(r"%\(\w+\)s", str(message.id)))
            assert set(re.findall(r"%\(\w+\)s", str(message.string))) == placeholders, message.id
    assert (folder / "django.mo").exists()


# Colours

STYLE = Path(finders.find("bookstore/style.css")).read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{([^}]*)\}", STYLE)
)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *(
            (text, ground)
            for text in ("ink", "ink-soft", "accent", "accent-deep")
            for ground in ("paper", "sheet", "sunken")
        ),
        ("on-accent", "accent"),
        ("on-accent", "accent-deep"),
        ("alipay", "sheet"),
        ("alipay-deep", "sheet"),
        ("good", "good-ground"),
        ("warn", "warn-ground"),
        ("bad", "bad-ground"),
        ("note", "note-ground"),
        *((text, ground) for text in ("good", "bad", "warn") for ground in ("paper", "sheet")),
    ],
)
def test_text_is_readable(theme, text, ground):
    assert contrast(theme[text], theme[ground]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "sheet", "sunken"])
def test_field_borders_and_focus_ring_have_contrast(theme, ground):
    assert contrast(theme["edge"], theme[ground]) >= 3
    assert contrast(theme["accent"], theme[ground]) >= 3

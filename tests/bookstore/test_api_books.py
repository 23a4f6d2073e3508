"""`/api/books/`."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.test import Client

from bookstore.catalog.models import Book
from bookstore.orders.basket import BasketLine
from bookstore.orders.checkout import place_order
from logto_auth.testing import Browser

from .programs import API, Program, token_of_person, token_of_robot

NEW_BOOK = {
    "title": "Lady Susan",
    "author": "Jane Austen",
    "year": 1871,
    "category": "novels",
    "price_cents": 800,
    "stock": 3,
}


@pytest.fixture
def editor(logto, tenant) -> Program:
    return Program(token_of_person(logto, "editor"))


# Reading


def titles(response) -> list[str]:
    return [book["title"] for book in response.json()["results"]]


def test_anonymous_caller_reads_a_book(tenant, kokoro):
    response = Program().get(f"/api/books/{kokoro.slug}/")
    assert response.status_code == 200
    assert response.json() == {
        "slug": "kokoro-natsume-soseki",
        "title": "Kokoro",
        "original_title": "こころ",
        "author": "Natsume Sōseki",
        "year": 1914,
        "year_is_approximate": False,
        "language": "ja",
        "category": "novels",
        "description": "",
        "title_ja": "こころ",
        "title_kana": "ココロ",
        "author_ja": "夏目漱石",
        "author_kana": "ナツメソウセキ",
        "description_ja": "",
        "title_zh_hans": "心",
        "title_pinyin": "xin",
        "author_zh_hans": "夏目漱石",
        "author_pinyin": "xia mu shu shi",
        "description_zh_hans": "",
        "other_names": "",
        "price_cents": 990,
        "stock": 5,
        "cover": f"http://testserver{kokoro.cover_url}",
        "added_at": kokoro.added_at.isoformat().replace("+00:00", "Z"),
    }


def test_invalid_token_is_refused_even_for_reading(logto, tenant, emma):
    token = token_of_person(logto, "customer")
    assert titles(Program(token).get("/api/books/")) == ["Emma"]
    response = Program(f"{token}x").get("/api/books/")
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Book of Songs", "Emma", "Kokoro"]),
        ({"q": "soseki"}, ["Kokoro"]),
        ({"q": "kokoro\0"}, ["Kokoro"]),
        ({"category": "poetry"}, ["Book of Songs"]),
        ({"category": "novels", "q": "clever"}, ["Emma"]),
        ({"q": "nothing like it"}, []),
        ({"page_size": "2"}, ["Book of Songs", "Emma"]),
        ({"page_size": "2", "page": "2"}, ["Kokoro"]),
    ],
)
def test_the_list_is_searched_and_paged(tenant, emma, kokoro, songs, query, expected):
    assert titles(Program().get("/api/books/", query)) == expected


def test_a_category_that_does_not_exist_is_named(tenant, emma):
    response = Program().get("/api/books/", {"category": "cookery"})
    assert (response.status_code, response.json()) == (400, {"category": ["There is no category “cookery”."]})


def test_page_size_and_queries_are_limited(tenant, make_book, django_assert_num_queries):
    for number in range(101):
        make_book(f"Book {number:03}")
    for size in ("1", "100", "1000"):
        with django_assert_num_queries(2):  # count, books with categories
            response = Program().get("/api/books/", {"page_size": size})
        assert len(titles(response)) == min(int(size), 100)
    assert response.json()["count"] == 101
    assert response.json()["next"] == "http://testserver/api/books/?page=2&page_size=1000"


# Writing


def test_editor_token_adds_a_book(editor, novels):
    response = editor.post("/api/books/", NEW_BOOK)
    assert response.status_code == 201, response.json()
    assert response.json()["slug"] == "lady-susan-jane-austen"
    assert Book.objects.get().category == novels


def test_a_machine_changes_and_removes_books(logto, tenant, emma):
    robot = Program(token_of_robot(logto, "write:books", resource=API))
    assert robot.patch(f"/api/books/{emma.slug}/", {"title": "Emma Woodhouse"}).json()["title"] == "Emma Woodhouse"
    changed = robot.put(f"/api/books/{emma.slug}/", {**NEW_BOOK, "stock": 0})
    assert (changed.status_code, changed.json()["stock"]) == (200, 0)
    assert robot.delete(f"/api/books/{emma.slug}/").status_code == 204
    assert not Book.objects.exists()


WRITES = [("post", "/api/books/"), *((method, "/api/books/emma-jane-austen/") for method in ("put", "patch", "delete"))]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writing_requires_a_token(tenant, emma, method, path):
    response = getattr(Program(), method)(path)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith('Bearer scope="write:books", resource_metadata=')


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("who", ["customer", "robot"])
def test_writing_requires_the_permission(logto, tenant, emma, method, path, who):
    token = token_of_robot(logto, "read:books", resource=API) if who == "robot" else token_of_person(logto, who)
    response = getattr(Program(token), method)(path)
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="write:books"' in response["WWW-Authenticate"]
    emma.refresh_from_db()
    assert emma.title == "Emma"


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (
            {"year": 1930},
            {"year": ["The shop sells books in the public domain: first published in 1928 or before."]},
        ),
        ({"year": -3001}, {"year": ["Ensure this value is greater than or equal to -3000."]}),
        ({"title": " "}, {"title": ["This field may not be blank."]}),
        ({"title": "\0"}, {"title": ["Null characters are not allowed."]}),
        ({"price_cents": 0}, {"price_cents": ["Ensure this value is greater than or equal to 1."]}),
        ({"stock": -1}, {"stock": ["Ensure this value is greater than or equal to 0."]}),
        ({"language": "tlh"}, {"language": ['"tlh" is not a valid choice.']}),
        ({"category": "cookery"}, {"category": ["Object with slug=cookery does not exist."]}),
        ({"category": None}, {"category": ["This field may not be null."]}),
    ],
)
def test_field_errors_name_the_field(editor, emma, change, faults):
    response = editor.patch(f"/api/books/{emma.slug}/", change)
    assert (response.status_code, response.json()) == (400, faults)


def test_all_field_errors_are_reported_together(editor, novels):
    assert set(editor.post("/api/books/", {}).json()) == {"title", "author", "category", "price_cents"}


def test_the_year_may_be_left_out(editor, emma):
    assert editor.patch(f"/api/books/{emma.slug}/", {"year": None}).json()["year"] is None
    emma.refresh_from_db()
    assert emma.year is None
    book = {"title": "Sanditon", "author": "Jane Austen", "category": "novels", "price_cents": 800}
    response = editor.post("/api/books/", book)
    assert (response.status_code, response.json()["year"]) == (201, None)


def test_invalid_json_is_refused(logto, tenant, emma):
    headers = {"authorization": f"Bearer {token_of_person(logto, 'editor')}"}
    response = Client().post("/api/books/", "{", content_type="application/json", headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "parse_error")


def test_partial_update_keeps_other_fields(editor, emma, monkeypatch):
    """While it is sent, another user orders a copy."""
    real_save = Book.save

    def save_after_an_order(book, *args, **kwargs):
        Book.objects.filter(pk=book.pk).update(stock=F("stock") - 1)
        real_save(book, *args, **kwargs)

    monkeypatch.setattr(Book, "save", save_after_an_order)
    assert editor.patch(f"/api/books/{emma.slug}/", {"price_cents": 1}).status_code == 200
    emma.refresh_from_db()
    assert (emma.price_cents, emma.stock) == (1, 4)


def test_a_changed_title_is_found_by_its_new_words(editor, emma):
    editor.patch(f"/api/books/{emma.slug}/", {"title": "Emma Woodhouse"})
    assert titles(editor.get("/api/books/", {"q": "woodhouse"})) == ["Emma Woodhouse"]


def test_ordered_book_cannot_be_deleted(editor, emma, reader):
    place_order(reader, [BasketLine(emma, 1)], agreed_cents=None)
    response = editor.delete(f"/api/books/{emma.slug}/")
    assert (response.status_code, response.json()) == (
        409,
        {"code": "ordered", "detail": "This book has orders, so it cannot be deleted."},
    )


# By the session


def test_session_with_permission_and_csrf_token_may_write(logto, tenant, emma):
    browser = Browser(logto, Client(enforce_csrf_checks=True))
    browser.sign_in("editor")
    path, change = f"/api/books/{emma.slug}/", {"price_cents": 5}
    refused = browser.client.patch(path, change, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert "CSRF" in refused.json()["detail"]
    token = browser.client.get("/").context["csrf_token"]
    written = browser.client.patch(path, change, content_type="application/json", headers={"X-CSRFToken": str(token)})
    assert (written.status_code, written.json()["price_cents"]) == (200, 5)


def test_session_without_permission_is_refused(browser, tenant, emma):
    browser.sign_in("customer")
    response = browser.client.delete(f"/api/books/{emma.slug}/")
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_errors_are_translated(logto, tenant, emma):
    editor = Program(token_of_person(logto, "editor"), **{"accept-language": "ja"})
    [words] = editor.patch(f"/api/books/{emma.slug}/", {"year": 1930}).json()["year"]
    assert "1928" in words
    assert "public domain" not in words

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import translation

from bookstore.catalog import loading
from bookstore.catalog.models import NEWEST_YEAR, Book, Category, Language

# The list


def titles(response) -> list[str]:
    return [book.title for book in response.context["books"]]


def test_the_front_page_shows_all_books_by_title(client, emma, kokoro, songs):
    assert titles(client.get("/")) == ["Book of Songs", "Emma", "Kokoro"]


@pytest.mark.parametrize(
    "words",
    ["kokoro", "KOKORO", "soseki", "Sōseki natsume", "こころ", "  kokoro  "],
)
def test_search_finds_words_in_any_order_case_and_accent(client, emma, kokoro, words):
    assert titles(client.get("/", {"q": words})) == ["Kokoro"]


@pytest.mark.parametrize("words", ["夏目漱石", "こころ 漱石", "心"])
def test_search_finds_native_names(client, emma, kokoro, words):
    assert titles(client.get("/", {"q": words})) == ["Kokoro"]


def test_search_finds_title_in_simplified_script(client, emma, make_book):
    make_book("Dream of the Red Chamber", "Cao Xueqin", original_title="紅樓夢")
    assert titles(client.get("/", {"q": "红楼梦 曹雪芹"})) == ["Dream of the Red Chamber"]


def test_search_looks_into_descriptions_too(client, emma, kokoro):
    assert titles(client.get("/", {"q": "neighbours clever"})) == ["Emma"]


def test_search_follows_an_edited_title(client, emma):
    emma.title = "Emma Woodhouse"
    emma.save(update_fields=["title"])
    assert titles(client.get("/", {"q": "woodhouse"})) == ["Emma Woodhouse"]


def test_a_search_without_results_says_so(client, emma):
    response = client.get("/", {"q": "100%_nothing"})
    assert titles(response) == []
    assert "We found no matching books." in response.text


def test_the_words_of_a_search_are_escaped(client, emma):
    response = client.get("/", {"q": "<script>alert(1)</script>"})
    assert "<script" not in response.text


def test_a_category_keeps_to_its_books(client, emma, songs):
    response = client.get("/", {"category": "poetry"})
    assert titles(response) == ["Book of Songs"]
    assert [(category.slug, category.book_count) for category in response.context["categories"]] == [
        ("novels", 1),
        ("poetry", 1),
    ]


def test_category_and_search_combine_and_survive_in_links(client, emma, songs):
    response = client.get("/", {"category": "novels", "q": "emma", "sort": "year", "state": "x"})
    assert titles(response) == ["Emma"]
    assert "?q=emma&amp;category=novels&amp;sort=price" in response.text
    assert "state" not in response.text.split("<main")[1].split("<footer")[0]


@pytest.mark.parametrize("query", [{"category": "no-such"}, {"category": "a\0b"}])
def test_an_unknown_category_is_not_found(client, emma, query):
    assert client.get("/", query).status_code == 404


@pytest.mark.parametrize(
    ("sort", "first"), [("year", "Book of Songs"), ("price", "Kokoro"), ("nonsense", "Book of Songs")]
)
def test_sorting(client, emma, kokoro, songs, sort, first):
    assert titles(client.get("/", {"sort": sort}))[0] == first


@pytest.mark.parametrize(("page", "number"), [("2", 2), ("99", 2), ("-1", 2), ("x", 1), ("", 1)])
def test_pages_beyond_the_last_show_the_nearest(client, make_book, page, number):
    for index in range(30):
        make_book(f"Book {index:02}")
    response = client.get("/", {"page": page})
    assert response.status_code == 200
    assert response.context["page_obj"].number == number
    assert response.text.count('aria-current="page"') == 1


def test_book_list_takes_constant_queries(client, make_book, emma, django_assert_num_queries):
    with django_assert_num_queries(3):  # count, books, categories
        client.get("/")
    for index in range(20):
        make_book(f"Book {index}")
    with django_assert_num_queries(3):
        client.get("/")


# One book


def test_a_book_page(client, kokoro):
    response = client.get(kokoro.get_absolute_url())
    assert response.status_code == 200
    assert '<p class="book__original" lang="ja">こころ</p>' in response.text
    assert "$9.90" in response.text
    assert "Only 5 copies left" in response.text


def test_missing_book_shows_the_shop_s_404_page(client, db):
    response = client.get("/books/no-such-book/")
    assert response.status_code == 404
    assert "This page does not exist" in response.text


def test_a_sold_out_book_cannot_be_bought(client, sold_out):
    response = client.get(sold_out.get_absolute_url())
    assert "We have no copies at the moment." in response.text
    assert "Add to basket" not in response.text


def test_related_books_share_category_not_author(client, emma, kokoro, songs, sold_out):
    response = client.get(emma.get_absolute_url())
    assert [book.title for book in response.context["neighbours"]] == ["Kokoro"]
    assert [book.title for book in response.context["by_same_author"]] == ["Persuasion"]


@pytest.mark.parametrize(
    ("year", "approximate", "english", "japanese"),
    [
        (1815, False, "1815", "1815年"),
        (1010, True, "c. 1010", "1010年頃"),
        (8, True, "c. AD 8", "西暦8年頃"),
        (712, False, "AD 712", "西暦712年"),
        (-458, False, "458 BC", "紀元前458年"),
        (-600, True, "c. 600 BC", "紀元前600年頃"),
    ],
)
def test_years_are_written_in_the_language_of_the_page(year, approximate, english, japanese):
    book = Book(year=year, year_is_approximate=approximate)
    assert book.year_text == english
    with translation.override("ja"):
        assert book.year_text == japanese


@pytest.mark.parametrize(("language", "name"), [("en", "Novels"), ("ja", "長編小説"), ("zh-hans", "Novels")])
def test_category_name_falls_back_to_english(novels, language, name):
    with translation.override(language):
        assert novels.name == str(novels) == name


# The model


@pytest.mark.parametrize("fields", [{"price_cents": 0}, {"year": NEWEST_YEAR + 1}])
def test_database_refuses_invalid_books(make_book, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_book("Wrong", **fields)


def test_slugs_are_made_once_and_stay_unique(make_book):
    first, second, wordless = make_book("Emma"), make_book("Emma"), make_book("こころ", "夏目漱石")
    assert [first.slug, second.slug, wordless.slug] == ["emma-jane-austen", "emma-jane-austen-2", "book"]
    first.title = "Emma Woodhouse"
    first.save()
    assert first.slug == "emma-jane-austen"


# Editors

FORM = {
    "title": "Kwaidan",
    "original_title": "",
    "author": "Lafcadio Hearn",
    "year": "1904",
    "language": "en",
    "description": "Old Japanese stories of the strange.",
    "price": "12.90",
    "stock": "3",
}


def test_the_migration_gives_editors_their_two_permissions(db):
    permissions = Group.objects.get(name="Editors").permissions.values_list("codename", flat=True)
    assert set(permissions) == {"add_book", "change_book"}


def test_editors_add_a_book(editor_client, novels):
    response = editor_client.post("/books/add/", {**FORM, "category": novels.pk}, follow=True)
    book = Book.objects.get()
    assert response.redirect_chain == [(f"/books/{book.slug}/", 302)]
    assert (book.price_cents, book.stock, book.category) == (1290, 3, novels)
    assert "“Kwaidan” is on the shelf." in response.text


def test_editors_change_a_book(editor_client, emma, novels):
    url = f"/books/{emma.slug}/edit/"
    assert 'value="12.50"' in editor_client.get(url).text
    editor_client.post(url, {**FORM, "category": novels.pk, "price": "9.99"})
    emma.refresh_from_db()
    assert (emma.title, emma.price_cents, emma.slug) == ("Kwaidan", 999, "emma-jane-austen")


@pytest.mark.parametrize(
    "wrong", [{"price": "0"}, {"price": "-1"}, {"price": "1.999"}, {"year": "1999"}, {"stock": "-1"}, {"title": ""}]
)
def test_form_refuses_invalid_books(editor_client, novels, wrong):
    response = editor_client.post("/books/add/", {**FORM, "category": novels.pk, **wrong})
    assert response.status_code == 200
    assert set(response.context["form"].errors) == set(wrong)
    assert not Book.objects.exists()


@pytest.mark.parametrize("path", ["/books/add/", "/books/emma-jane-austen/edit/"])
def test_other_users_may_not_edit(client, reader_client, emma, path):
    assert client.get(path)["Location"] == f"/sign-in?next={path}"
    response = reader_client.get(path)
    assert response.status_code == 403
    assert "You cannot open this page" in response.text


def test_the_editing_links_are_for_editors(client, reader_client, editor_client, emma):
    for visitor, sees_them in ((client, False), (reader_client, False), (editor_client, True)):
        assert ("/books/add/" in visitor.get("/").text) is sees_them
        assert ("Edit this book" in visitor.get(emma.get_absolute_url()).text) is sees_them


# The catalogue


def test_the_catalogue_is_loaded_once(db, capsys):
    call_command("load_books")
    call_command("load_books")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" books added, 0 already there.")
    assert second.startswith("0 books added, ")
    assert Book.objects.count() >= 200
    assert Category.objects.count() >= 12


def test_loading_keeps_edits_until_reset(db):
    loading.load_catalogue()
    Book.objects.filter(slug="emma-jane-austen").update(price_cents=1, stock=0)
    loading.load_catalogue()
    assert Book.objects.get(slug="emma-jane-austen").price_cents == 1
    loading.load_catalogue(reset=True)
    assert Book.objects.get(slug="emma-jane-austen").price_cents > 1


def test_loaded_books_can_be_searched(client, db):
    loading.load_catalogue()
    assert "Les Misérables" in titles(client.get("/", {"q": "miserables"}))


def test_catalogue_entries_are_complete_and_public_domain():
    catalogue = json.loads(loading.CATALOGUE.read_text(encoding="utf-8"))
    categories = {entry["slug"] for entry in catalogue["categories"]}
    assert len({(book["title"], book["author"]) for book in catalogue["books"]}) == len(catalogue["books"])
    for entry in catalogue["categories"]:
        assert all(entry.values())
    for book in catalogue["books"]:
        Book(**{**book, "category": None}).clean_fields(exclude=["category", "search_text"])
        assert book["category"] in categories
        assert book["language"] in Language.values
        assert book["year"] <= NEWEST_YEAR
        assert book["description"].endswith((".", "?"))

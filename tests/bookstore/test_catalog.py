from __future__ import annotations

import json
import re

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


@pytest.mark.parametrize("language", ["en", "ja", "zh-hans"])
@pytest.mark.parametrize(
    "words", ["夏目漱石", "こころ 漱石", "心", "ココロ", "なつめそうせき", "ナツメ", "shu shi", "kokoro soseki"]
)
def test_search_finds_names_in_each_language(client, emma, kokoro, words, language):
    assert titles(client.get("/", {"q": words}, headers={"Accept-Language": language})) == ["Kokoro"]


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("夏目漱石 猫", "i-am-a-cat-natsume-soseki"),
        ("わがはい", "i-am-a-cat-natsume-soseki"),
        ("红楼梦", "dream-of-the-red-chamber-cao-xueqin"),
        ("紅樓夢", "dream-of-the-red-chamber-cao-xueqin"),
        ("紅楼夢", "dream-of-the-red-chamber-cao-xueqin"),
        ("hong lou meng", "dream-of-the-red-chamber-cao-xueqin"),
        ("石头记", "dream-of-the-red-chamber-cao-xueqin"),
        ("傲慢与偏见", "pride-and-prejudice-jane-austen"),
        ("高慢と偏見 オースティン", "pride-and-prejudice-jane-austen"),
        ("シャーロックホームズの冒険", "the-adventures-of-sherlock-holmes-arthur-conan-doyle"),
        ("卡拉马佐夫", "the-brothers-karamazov-fyodor-dostoevsky"),
    ],
)
def test_search_of_the_loaded_catalogue(db, words, slug):
    loading.load_catalogue()
    assert [book.slug for book in Book.objects.search(words)] == [slug]


@pytest.mark.parametrize(
    ("language", "title", "author", "description"),
    [
        ("en", "Emma", "Jane Austen", "A clever young woman"),
        ("ja", "エマ", "ジェイン・オースティン", "賢い娘"),
        ("zh-hans", "爱玛", "简·奥斯汀", "聪明"),
    ],
)
def test_pages_show_a_book_in_their_language(client, novels, language, title, author, description):
    loading.load_catalogue()
    emma = Book.objects.get(slug="emma-jane-austen")
    for url in (emma.get_absolute_url(), "/?q=emma"):
        page = client.get(url, headers={"Accept-Language": language}).text.split("<main")[1]
        assert title in page
        assert author in page
    page = client.get(emma.get_absolute_url(), headers={"Accept-Language": language}).text.split("<main")[1]
    assert description in page
    assert '<h1 lang="en">' not in page


def test_untranslated_title_is_marked_as_english(client, emma):
    page = client.get(emma.get_absolute_url(), headers={"Accept-Language": "ja"}).text
    assert '<h1 lang="en">Emma</h1>' in page
    assert '<div class="book__description" lang="en">' in page


@pytest.mark.parametrize(
    ("language", "order"),
    [
        ("en", ["A Doll's House", "Émile", "Emma", "The Iliad", "Kokoro"]),
        ("ja", ["The Iliad", "Emma", "Kokoro", "A Doll's House", "Émile"]),
        ("zh-hans", ["Emma", "A Doll's House", "Kokoro", "The Iliad", "Émile"]),
    ],
)
def test_titles_are_sorted_in_the_language_of_the_page(client, make_book, kokoro, language, order):
    make_book("The Iliad", "Homer", title_ja="イリアス", title_zh_hans="伊利亚特", title_pinyin="yi li ya te")
    make_book(
        "A Doll's House", "Ibsen", title_ja="人形の家", title_kana="ニンギョウノイエ", title_pinyin="wan ou zhi jia"
    )
    make_book("Émile", "Rousseau", title_ja="翻訳", title_zh_hans="爱弥儿", title_pinyin="zzz")
    make_book("Emma", title_ja="エマ", title_zh_hans="爱玛", title_pinyin="ai ma")
    assert titles(client.get("/", headers={"Accept-Language": language})) == order


@pytest.mark.parametrize(
    ("language", "first"), [("en", "Jane Austen"), ("ja", "Natsume Sōseki"), ("zh-hans", "Jane Austen")]
)
def test_authors_are_sorted_in_the_language_of_the_page(client, make_book, kokoro, language, first):
    make_book("Emma", author_ja="ワジェイン", author_zh_hans="奥斯汀", author_pinyin="ao si ting")
    response = client.get("/", {"sort": "author"}, headers={"Accept-Language": language})
    assert response.context["books"][0].author == first


def test_cover_url_has_the_language_of_the_page(client, kokoro, emma):
    with translation.override("ja"):
        japanese, untranslated = kokoro.cover_url, emma.cover_url
    assert "language=ja" in japanese
    assert untranslated == emma.cover_url
    assert "漱石" in client.get(japanese, headers={"Accept-Language": "en"}).text
    assert "Sōseki" in client.get(kokoro.cover_url, headers={"Accept-Language": "ja"}).text
    assert "immutable" in client.get(japanese)["Cache-Control"]


@pytest.mark.parametrize("language", ["", "xx", "a\0b", "../en"])
def test_cover_in_an_unknown_language_is_english(client, kokoro, language):
    response = client.get(f"/books/{kokoro.slug}/cover.svg", {"language": language})
    assert "Sōseki" in response.text
    assert "max-age=60" in response["Cache-Control"]


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


def test_counts_of_categories_follow_the_search(client, emma, kokoro, songs):
    response = client.get("/", {"q": "emma"})
    assert [(category.slug, category.book_count) for category in response.context["categories"]] == [
        ("novels", 1),
        ("poetry", 0),
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


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("year", ["Waverley", "Emma", "Persuasion", "Sanditon"]),
        ("author", ["Emma", "Persuasion", "Sanditon", "Waverley"]),
    ],
)
def test_books_without_a_year_are_the_last(client, make_book, emma, sold_out, sort, order):
    make_book("Sanditon", year=None)
    make_book("Waverley", "Walter Scott", year=1814)
    assert titles(client.get("/", {"sort": sort})) == order


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


def test_related_books_share_category_not_author(client, make_book, emma, songs, sold_out):
    make_book("Waverley", "Walter Scott", year=1814)
    response = client.get(emma.get_absolute_url())
    assert [book.title for book in response.context["neighbours"]] == ["Waverley"]
    assert [book.title for book in response.context["by_same_author"]] == ["Persuasion"]


def test_books_of_another_time_are_not_from_the_same_time(client, make_book, kokoro):
    make_book("The Tale of Genji", "Murasaki Shikibu", year=1010)
    make_book("The Overcoat", "Gogol", year=1864)
    assert [book.title for book in client.get(kokoro.get_absolute_url()).context["neighbours"]] == ["The Overcoat"]
    old = make_book("Kagerō", "A lady", year=980)
    assert [book.title for book in client.get(old.get_absolute_url()).context["neighbours"]] == ["The Tale of Genji"]


def test_a_book_without_a_year_is_from_no_time(client, make_book, emma):
    analects = make_book("Analects", "Confucius", year=None)
    make_book("Waverley", "Walter Scott", year=1814)
    response = client.get(analects.get_absolute_url())
    assert response.context["neighbours"] == []
    assert "<dt>Year</dt>" not in response.text
    response = client.get(emma.get_absolute_url())
    assert [book.title for book in response.context["neighbours"]] == ["Waverley"]
    assert "<dt>Year</dt><dd>1815</dd>" in response.text


@pytest.mark.parametrize(
    ("year", "approximate", "english", "japanese"),
    [
        (1815, False, "1815", "1815年"),
        (1010, True, "c. 1010", "1010年頃"),
        (8, True, "c. AD 8", "西暦8年頃"),
        (712, False, "AD 712", "西暦712年"),
        (-458, False, "458 BC", "紀元前458年"),
        (-600, True, "c. 600 BC", "紀元前600年頃"),
        (None, False, "", ""),
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


def test_editors_may_leave_out_the_year(editor_client, novels):
    editor_client.post("/books/add/", {**FORM, "category": novels.pk, "year": ""})
    assert Book.objects.get().year is None


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


def test_loading_translates_books_of_an_older_database(db):
    loading.load_catalogue()
    Book.objects.filter(slug="emma-jane-austen").update(title_ja="", title_zh_hans="", author_ja="", price_cents=1)
    Book.objects.filter(slug="persuasion-jane-austen").update(title_ja="ペルスエイション")
    loading.load_catalogue()
    emma = Book.objects.get(slug="emma-jane-austen")
    assert (emma.title_ja, emma.author_ja, emma.price_cents) == ("エマ", "ジェイン・オースティン", 1)
    assert Book.objects.get(slug="persuasion-jane-austen").title_ja == "ペルスエイション"


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
        assert book["year"] is None or book["year"] <= NEWEST_YEAR
        assert book["year"] or not book["year_is_approximate"]
        assert book["description"].endswith((".", "?"))
        for name in ("title", "author", "description"):
            assert book[f"{name}_ja"]
            assert book[f"{name}_zh_hans"]
        assert book["description_ja"].endswith("。")
        assert book["description_zh_hans"].endswith(("。", "？"))  # noqa: RUF001 - Chinese has a question mark of its own
        assert re.fullmatch("[ァ-ヶー・]+", book["title_kana"] + book["author_kana"])
        assert re.fullmatch("[A-Za-zü -]+", book["title_pinyin"] + book["author_pinyin"])


def test_each_year_of_the_catalogue_has_a_source():
    catalogue = json.loads(loading.CATALOGUE.read_text(encoding="utf-8"))
    confirmed = [slug for slugs in catalogue["year_sources"].values() for slug in slugs]
    assert sorted(confirmed) == sorted(book["slug"] for book in catalogue["books"] if book["year"] is not None)
    assert all(address.startswith(("https://", "http://")) for address in catalogue["year_sources"])

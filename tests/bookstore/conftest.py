"""A small shop of its own for each test: two categories, four books, a reader and an editor."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.utils import translation

from bookstore import settings as bookstore_settings
from bookstore.account import greetings
from bookstore.catalog.models import Book, Category
from logto_auth.emulator import Emulator, Tenant, seed_demo

LOGTO_BACKEND = "logto_auth.backends.LogtoBackend"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A request leaves its language behind in the thread; the next test starts in English."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def with_greetings() -> Iterator[None]:
    """Messages after a sign-in and a sign-out, which other tests do without."""
    greetings.connect()
    yield
    greetings.disconnect()


@pytest.fixture
def novels(db) -> Category:
    return Category.objects.create(slug="novels", name_en="Novels", name_ja="長編小説", position=1)


@pytest.fixture
def poetry(db) -> Category:
    return Category.objects.create(slug="poetry", name_en="Poetry", position=2)


@pytest.fixture
def make_book(novels: Category) -> Callable[..., Book]:
    def make(title: str, author: str = "Jane Austen", **fields: object) -> Book:
        defaults = {"year": 1815, "category": novels, "price_cents": 1250, "stock": 5}
        return Book.objects.create(title=title, author=author, **{**defaults, **fields})

    return make


@pytest.fixture
def emma(make_book: Callable[..., Book]) -> Book:
    return make_book("Emma", description="A clever young woman arranges the hearts of her neighbours.")


@pytest.fixture
def kokoro(make_book: Callable[..., Book]) -> Book:
    return make_book(
        "Kokoro",
        "Natsume Sōseki",
        original_title="こころ",
        year=1914,
        language="ja",
        price_cents=990,
        title_ja="こころ",
        title_kana="ココロ",
        author_ja="夏目漱石",
        author_kana="ナツメソウセキ",
        title_zh_hans="心",
        title_pinyin="xin",
        author_zh_hans="夏目漱石",
        author_pinyin="xia mu shu shi",
    )


@pytest.fixture
def songs(make_book: Callable[..., Book], poetry: Category) -> Book:
    return make_book("Book of Songs", "Anonymous", year=-600, year_is_approximate=True, category=poetry, language="zh")


@pytest.fixture
def sold_out(make_book: Callable[..., Book]) -> Book:
    return make_book("Persuasion", year=1817, stock=0)


@pytest.fixture
def reader(db) -> User:
    return User.objects.create_user("reader")


@pytest.fixture
def reader_client(reader: User) -> Client:
    return signed_in(reader)


@pytest.fixture
def editor_client(db) -> Client:
    editor = User.objects.create_user("editor")
    editor.groups.add(Group.objects.get(name="Editors"))
    return signed_in(editor)


@pytest.fixture
def tenant(logto: Emulator, settings, db) -> Tenant:
    """The demo's tenant, with the demo's own settings."""
    for name in (
        "LOGTO_SCOPES",
        "LOGTO_RESOURCES",
        "LOGTO_USERINFO_CLAIMS",
        "LOGTO_API_RESOURCE",
        "LOGTO_SECOND_FACTOR",
        "LOGTO_API_SCOPES",
        "LOGTO_API_CREATE_USERS",
        "LOGTO_STAFF_ROLES",
        "LOGTO_SUPERUSER_ROLES",
        "LOGTO_GROUPS_BY_ROLE",
        "LOGTO_M2M_APP_ID",
        "LOGTO_M2M_APP_SECRET",
        "LOGTO_DELETE_ACCOUNT",
    ):
        setattr(settings, name, getattr(bookstore_settings, name))
    settings.ROOT_URLCONF = "tests.bookstore.urls"
    cache.clear()
    application = seed_demo(logto.tenant, base_urls=["http://testserver"])
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = application.id, application.secret
    return logto.tenant


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=LOGTO_BACKEND)
    return client

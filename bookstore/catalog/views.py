"""The book lists, a book, its cover, and the form for editors."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from .forms import BookForm
from .languages import name_order
from .models import Book, Category
from .search import search_words

# How many years apart two books of the same time are.
MODERN_TIMES, SAME_TIME, SAME_ANCIENT_TIME = 1500, 50, 200

ONE_YEAR = 365 * 24 * 60 * 60

# Databases differ in where they sort a year that is not known.
BY_YEAR = F("year").asc(nulls_last=True)

# Names are sorted in the language of the page, which is known at the request.
SORT_ORDERS: dict[str, tuple[Any, Callable[[], tuple[Any, ...]]]] = {
    "title": (_("Title"), lambda: (name_order("title"), "pk")),
    "author": (_("Author"), lambda: (name_order("author"), BY_YEAR, "pk")),
    "year": (_("Year"), lambda: (BY_YEAR, name_order("title"), "pk")),
    "price": (_("Price"), lambda: ("price_cents", name_order("title"), "pk")),
    "newest": (_("Newly added"), lambda: ("-added_at", "-pk")),
}
DEFAULT_SORT = "title"


class BookList(ListView):
    """All books, or those of a category, or those that match a search, a page at a time."""

    template_name = "catalog/book_list.html"
    context_object_name = "books"
    paginate_by = 24

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.words = search_words(request.GET)
        self.sort = request.GET.get("sort", DEFAULT_SORT)
        if self.sort not in SORT_ORDERS:
            self.sort = DEFAULT_SORT

    def get_queryset(self) -> QuerySet[Book]:
        self.category = None
        books = Book.objects.select_related("category").search(self.words)
        if slug := self.request.GET.get("category"):
            self.category = get_object_or_404(Category, slug=slug.replace("\0", ""))
            books = books.filter(category=self.category)
        _label, order = SORT_ORDERS[self.sort]
        return books.order_by(*order())

    def paginate_queryset(self, queryset: QuerySet[Book], page_size: int) -> Any:
        """A page number that does not exist shows the nearest page, not an error."""
        page = self.get_paginator(queryset, page_size).get_page(self.request.GET.get("page"))
        return page.paginator, page, page.object_list, page.has_other_pages()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        return context | {
            "words": self.words,
            "category": self.category,
            "categories": Category.objects.with_book_counts(Book.objects.search(self.words)),
            "sort": self.sort,
            "sort_orders": [(key, label) for key, (label, _order) in SORT_ORDERS.items()],
            "page_numbers": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1),
            "is_front_page": not (self.words or self.category or page.number > 1),
        }


class BookDetail(DetailView):
    model = Book
    template_name = "catalog/book_detail.html"
    context_object_name = "book"

    def get_queryset(self) -> QuerySet[Book]:
        return Book.objects.select_related("category")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        book = self.object
        shelf = Book.objects.filter(category=book.category).exclude(author=book.author)
        return super().get_context_data(
            neighbours=[] if book.year is None else neighbours(shelf, book.year),
            by_same_author=Book.objects.filter(author=book.author).exclude(pk=book.pk).by_title()[:6],
            **kwargs,
        )


def neighbours(shelf: QuerySet[Book], year: int, count: int = 6) -> list[Book]:
    """Return the books of a category from about the same time, oldest first: the nearest ones, if there are many."""
    span = SAME_TIME if year >= MODERN_TIMES else SAME_ANCIENT_TIME
    before = shelf.filter(year__range=(year - span, year)).order_by("-year", name_order("title"))[:count]
    after = shelf.filter(year__range=(year + 1, year + span)).order_by("year", name_order("title"))[:count]
    nearest = sorted([*before, *after], key=lambda book: abs(book.year - year))[:count]
    return sorted(nearest, key=lambda book: book.year)


@require_safe
def cover(request: HttpRequest, slug: str) -> HttpResponse:
    """The generated cover. Its URL contains a version and the language, so it may be cached forever."""
    book = get_object_or_404(Book, slug=slug)
    language = request.GET.get("language", "en")
    with translation.override(language if language in dict(settings.LANGUAGES) else "en"):
        picture = book.cover
    response = HttpResponse(picture.draw(), content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    if request.GET.get("v") == picture.version:
        patch_cache_control(response, public=True, max_age=ONE_YEAR, immutable=True)
    else:
        patch_cache_control(response, public=True, max_age=60)
    return response


class BookAdd(PermissionRequiredMixin, SuccessMessageMixin, CreateView):
    permission_required = "catalog.add_book"
    model = Book
    form_class = BookForm
    template_name = "catalog/book_form.html"
    success_message = _("“%(title)s” is on the shelf.")


class BookEdit(PermissionRequiredMixin, SuccessMessageMixin, UpdateView):
    permission_required = "catalog.change_book"
    model = Book
    form_class = BookForm
    template_name = "catalog/book_form.html"
    success_message = _("“%(title)s” is saved.")

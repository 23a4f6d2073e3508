"""Books and their categories."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import covers
from .languages import in_language, name_order
from .search import fill_search_columns, searchable

NEWEST_YEAR = 1928
"""The shop sells books in the public domain; in the United States that is certain up to this year."""


class CategoryQuerySet(models.QuerySet["Category"]):
    def with_book_counts(self, books: "BookQuerySet") -> "CategoryQuerySet":
        """The categories in the order of the shop, each with `book_count`: how many of the books it has."""
        counted = self.annotate(book_count=Count("books", filter=Q(books__in=books.order_by())))
        return counted.order_by(*self.model._meta.ordering)  # a query with GROUP BY loses the model's ordering


class Category(models.Model):
    """A category. Its name is stored in each language of the site, so that editors can add one."""

    slug = models.SlugField(_("slug"), unique=True)
    name_en = models.CharField(_("name in English"), max_length=60)
    name_ja = models.CharField(_("name in Japanese"), max_length=60, blank=True)
    name_zh_hans = models.CharField(_("name in Simplified Chinese"), max_length=60, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name_en"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('catalog:list')}?category={self.slug}"

    @property
    def name(self) -> str:
        """The name in the language of the page, or in English if it is not translated yet."""
        return in_language(self, "name") or self.name_en


class Language(models.TextChoices):
    """Original languages of books, by ISO 639 code."""

    AKKADIAN = "akk", _("Akkadian")
    ARABIC = "ar", _("Arabic")
    BENGALI = "bn", _("Bengali")
    CHINESE = "zh", _("Chinese")
    CZECH = "cs", _("Czech")
    DANISH = "da", _("Danish")
    DUTCH = "nl", _("Dutch")
    ENGLISH = "en", _("English")
    FRENCH = "fr", _("French")
    GERMAN = "de", _("German")
    GREEK = "grc", _("Ancient Greek")
    ITALIAN = "it", _("Italian")
    JAPANESE = "ja", _("Japanese")
    LATIN = "la", _("Latin")
    NORWEGIAN = "no", _("Norwegian")
    OLD_ENGLISH = "ang", _("Old English")
    OLD_NORSE = "non", _("Old Norse")
    PERSIAN = "fa", _("Persian")
    POLISH = "pl", _("Polish")
    PORTUGUESE = "pt", _("Portuguese")
    RUSSIAN = "ru", _("Russian")
    SANSKRIT = "sa", _("Sanskrit")
    SPANISH = "es", _("Spanish")
    SWEDISH = "sv", _("Swedish")


class BookQuerySet(models.QuerySet["Book"]):
    def search(self, words: str) -> "BookQuerySet":
        """Return the books whose texts, in any language, contain every word, ignoring accents and case."""
        books = self
        for word in searchable(words).split():
            books = books.filter(search_text__contains=word)
        return books

    def by_title(self) -> "BookQuerySet":
        """The books in the alphabetical order of the language of the page."""
        return self.order_by(name_order("title"), "pk")


class Book(models.Model):
    """A book. Title, author and description are in English; those in Japanese and Chinese are optional."""

    slug = models.SlugField(_("slug"), max_length=120, unique=True, blank=True)
    title = models.CharField(_("title"), max_length=160)
    original_title = models.CharField(_("original title"), max_length=160, blank=True)
    author = models.CharField(_("author"), max_length=120)
    year = models.SmallIntegerField(
        _("first published"),
        validators=[
            MinValueValidator(-3000),
            MaxValueValidator(
                NEWEST_YEAR,
                _("The shop sells books in the public domain: first published in %(limit_value)s or before."),
            ),
        ],
        help_text=_("A year; years BC are negative."),
        null=True,
        blank=True,
    )
    year_is_approximate = models.BooleanField(_("the year is approximate"), default=False)
    language = models.CharField(_("original language"), max_length=3, choices=Language, default=Language.ENGLISH)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="books", verbose_name=_("category"))
    description = models.TextField(_("description"), blank=True)
    title_ja = models.CharField(_("title in Japanese"), max_length=160, blank=True)
    title_kana = models.CharField(
        _("title in katakana"), max_length=240, blank=True, help_text=_("The reading. Lists are sorted by it.")
    )
    author_ja = models.CharField(_("author in Japanese"), max_length=120, blank=True)
    author_kana = models.CharField(
        _("author in katakana"), max_length=240, blank=True, help_text=_("The reading. Lists are sorted by it.")
    )
    description_ja = models.TextField(_("description in Japanese"), blank=True)
    title_zh_hans = models.CharField(_("title in Simplified Chinese"), max_length=160, blank=True)
    title_pinyin = models.CharField(
        _("title in Pinyin"), max_length=240, blank=True, help_text=_("Without tones. Lists are sorted by it.")
    )
    author_zh_hans = models.CharField(_("author in Simplified Chinese"), max_length=120, blank=True)
    author_pinyin = models.CharField(
        _("author in Pinyin"), max_length=240, blank=True, help_text=_("Without tones. Lists are sorted by it.")
    )
    description_zh_hans = models.TextField(_("description in Simplified Chinese"), blank=True)
    other_names = models.CharField(
        _("other names"),
        max_length=160,
        blank=True,
        help_text=_("Other spellings and titles by which readers search. They are not shown."),
    )
    price_cents = models.PositiveIntegerField(
        _("price in cents"), validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    stock = models.PositiveIntegerField(_("copies in stock"), default=0)
    sort_title = models.CharField(max_length=160, editable=False, blank=True)
    sort_author = models.CharField(max_length=120, editable=False, blank=True)
    search_text = models.TextField(editable=False, blank=True)
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["sort_title", "pk"]
        indexes = [models.Index(fields=["category", "sort_title"], name="catalog_book_on_shelf")]
        constraints = [
            models.CheckConstraint(condition=Q(price_cents__gt=0), name="catalog_book_price_is_positive"),
            models.CheckConstraint(condition=Q(year__lte=NEWEST_YEAR), name="catalog_book_is_public_domain"),
        ]
        verbose_name = _("book")
        verbose_name_plural = _("books")

    def __str__(self) -> str:
        return self.local_title

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.complete()
        if update_fields is not None:
            update_fields = {*update_fields, "sort_title", "sort_author", "search_text"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("catalog:detail", args=[self.slug])

    def complete(self) -> None:
        """Fill the derived fields: the slug once, the others always."""
        self.slug = self.slug or free_slug(self.title, self.author)
        fill_search_columns(self)

    @property
    def local_title(self) -> str:
        """The title in the language of the page, or in English if it is not translated yet."""
        return in_language(self, "title") or self.title

    @property
    def local_author(self) -> str:
        """The author in the language of the page, or in English if it is not translated yet."""
        return in_language(self, "author") or self.author

    @property
    def local_description(self) -> str:
        """The description in the language of the page, or in English if it is not translated yet."""
        return in_language(self, "description") or self.description

    @property
    def cover(self) -> covers.Cover:
        """The cover, in the language of the page. Its colours and motif are the same in each language."""
        return covers.Cover(
            self.title, self.author, self.original_title, in_language(self, "title"), in_language(self, "author")
        )

    @property
    def cover_url(self) -> str:
        """The URL of the cover. It changes with the cover, so browsers may cache it forever."""
        query = {"v": self.cover.version}
        if self.cover.is_translated:
            query["language"] = get_language() or "en"
        return f"{reverse('catalog:cover', args=[self.slug])}?{urlencode(query)}"

    @property
    def year_text(self) -> str:
        """The year in the format of the current language, such as "1813", "AD 8" or "c. 400 BC". "" if not known."""
        if self.year is None:
            return ""
        if self.year < 0:
            pattern = _("c. %(year)s BC") if self.year_is_approximate else _("%(year)s BC")
        elif self.year < 1000:
            pattern = _("c. AD %(year)s") if self.year_is_approximate else _("AD %(year)s")
        else:
            pattern = _("c. %(year)s") if self.year_is_approximate else _("%(year)s")
        return str(pattern) % {"year": abs(self.year)}

    @property
    def is_sold_out(self) -> bool:
        return self.stock == 0


def free_slug(title: str, author: str) -> str:
    """Return a unique slug for a new book."""
    stem = slugify(f"{title} {author}")[:110].strip("-") or "book"
    slug, number = stem, 1
    while Book.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug

"""Books and their categories."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import covers
from .native_names import native_names

NEWEST_YEAR = 1928
"""The shop sells books in the public domain; in the United States that is certain up to this year."""


class CategoryQuerySet(models.QuerySet["Category"]):
    def with_book_counts(self) -> "CategoryQuerySet":
        """The categories in the order of the shop, each with `book_count`."""
        counted = self.annotate(book_count=Count("books"))
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
        language = (get_language() or "en").replace("-", "_")
        return getattr(self, f"name_{language}", "") or self.name_en


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
        """Return the books whose title, author or description contain every word, ignoring accents and case."""
        books = self
        for word in searchable(words).split():
            books = books.filter(search_text__contains=word)
        return books


class Book(models.Model):
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
    )
    year_is_approximate = models.BooleanField(_("the year is approximate"), default=False)
    language = models.CharField(_("original language"), max_length=3, choices=Language, default=Language.ENGLISH)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="books", verbose_name=_("category"))
    description = models.TextField(_("description"), blank=True)
    price_cents = models.PositiveIntegerField(
        _("price in cents"), validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    stock = models.PositiveIntegerField(_("copies in stock"), default=0)
    search_text = models.TextField(editable=False, blank=True)
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    objects = BookQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]
        indexes = [models.Index(fields=["category", "title"], name="catalog_book_on_shelf")]
        constraints = [
            models.CheckConstraint(condition=Q(price_cents__gt=0), name="catalog_book_price_is_positive"),
            models.CheckConstraint(condition=Q(year__lte=NEWEST_YEAR), name="catalog_book_is_public_domain"),
        ]
        verbose_name = _("book")
        verbose_name_plural = _("books")

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        self.complete()
        if update_fields is not None:
            update_fields = {*update_fields, "search_text"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("catalog:detail", args=[self.slug])

    def complete(self) -> None:
        """Fill the derived fields: the slug once, the search text always."""
        self.slug = self.slug or free_slug(self.title, self.author)
        texts = (self.title, self.original_title, self.author, self.description)
        self.search_text = searchable(" ".join((*texts, *native_names(self.author, self.original_title))))

    @property
    def cover_url(self) -> str:
        """The URL of the cover. It changes with the cover, so browsers may cache it forever."""
        version = covers.version(self.title, self.author, self.original_title)
        return f"{reverse('catalog:cover', args=[self.slug])}?v={version}"

    @property
    def year_text(self) -> str:
        """The year in the format of the current language, such as "1813", "AD 8" or "c. 400 BC"."""
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


def searchable(text: str) -> str:
    """Return the text without case and accents, for comparison."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def free_slug(title: str, author: str) -> str:
    """Return a unique slug for a new book."""
    stem = slugify(f"{title} {author}")[:110].strip("-") or "book"
    slug, number = stem, 1
    while Book.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug

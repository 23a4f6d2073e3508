"""`/api/books/`: everyone may read the catalogue; `write:books` is required to change it, also by an API key."""

from typing import Any

from django.db.models import ProtectedError, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.viewsets import ModelViewSet

from bookstore.catalog.models import Book, Category
from bookstore.catalog.search import search_words
from logto_auth.contrib.rest_framework import READING, HasScope

from .base import ShopAPI, TokenOrKeyAuthentication
from .errors import ErrorSerializer, RequestRejected

YEAR = Book._meta.get_field("year")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new book",
            request_only=True,
            value={
                "title": "Lady Susan",
                "author": "Jane Austen",
                "year": 1871,
                "category": "novels",
                "price_cents": 800,
                "stock": 3,
            },
        )
    ]
)
class BookSerializer(serializers.ModelSerializer):
    # REST framework would keep the limits of the number, but not the model's error messages.
    year = serializers.IntegerField(
        required=False, allow_null=True, validators=YEAR.validators, help_text=YEAR.help_text
    )
    category = serializers.SlugRelatedField(slug_field="slug", queryset=Category.objects.all())
    cover = serializers.SerializerMethodField()

    class Meta:
        model = Book
        fields = [
            "slug",
            "title",
            "original_title",
            "author",
            "year",
            "year_is_approximate",
            "language",
            "category",
            "description",
            "title_ja",
            "title_kana",
            "author_ja",
            "author_kana",
            "description_ja",
            "title_zh_hans",
            "title_pinyin",
            "author_zh_hans",
            "author_pinyin",
            "description_zh_hans",
            "other_names",
            "price_cents",
            "stock",
            "cover",
            "added_at",
        ]
        read_only_fields = ["slug"]

    def get_cover(self, book: Book) -> str:
        return self.context["request"].build_absolute_uri(book.cover_url)

    def update(self, book: Book, changes: dict[str, Any]) -> Book:
        """Write only the fields that were sent: an order may change the stock at the same time."""
        for name, value in changes.items():
            setattr(book, name, value)
        book.save(update_fields=changes)
        return book


class BookFilter(BaseFilterBackend):
    """`?q=` and `?category=`, as on the pages of the shop."""

    def filter_queryset(self, request: Request, books: QuerySet[Book], view: Any) -> QuerySet[Book]:
        books = books.search(search_words(request.query_params))
        if slug := request.query_params.get("category", "").replace("\0", ""):
            if not Category.objects.filter(slug=slug).exists():
                raise ValidationError({"category": [_("There is no category “%(slug)s”.") % {"slug": slug}]})
            books = books.filter(category__slug=slug)
        return books

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        words = {
            "q": "Words in title, author or description, in any language; all must match.",
            "category": "The slug of a category.",
        }
        return [
            {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}
            for name, description in words.items()
        ]


@extend_schema_view(
    list=extend_schema(summary="The books of the shop, by title"),
    retrieve=extend_schema(summary="One book"),
    create=extend_schema(summary="Add a book"),
    update=extend_schema(summary="Replace a book"),
    partial_update=extend_schema(summary="Change a book"),
    destroy=extend_schema(summary="Delete a book", responses={204: None, 409: ErrorSerializer}),
)
class BookViewSet(ShopAPI, ModelViewSet):
    queryset = Book.objects.select_related("category")
    serializer_class = BookSerializer
    authentication_classes = [TokenOrKeyAuthentication, SessionAuthentication]
    filter_backends = [BookFilter]
    lookup_field = "slug"
    lookup_value_converter = "slug"

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny()] if self.request.method in READING else [HasScope("write:books")()]

    def perform_destroy(self, book: Book) -> None:
        try:
            book.delete()
        except ProtectedError as error:
            raise RequestRejected(_("This book has orders, so it cannot be deleted."), "ordered") from error

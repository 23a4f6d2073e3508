"""`/api/branches/<organization_id>/stock/`: the stock of a branch, for users with `manage:stock` there.

The URL selects the branch. The token must be for the same organization.
"""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveUpdateAPIView

from bookstore.branches.models import Stock
from bookstore.branches.stock import set_copies
from bookstore.catalog.models import Book
from logto_auth.contrib.rest_framework import HasOrganizationScope, LogtoOrganizationAuthentication

from .base import ShopAPI


@extend_schema_serializer(examples=[OpenApiExample("Seven copies", request_only=True, value={"copies": 7})])
class StockSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    title = serializers.CharField(source="book.title", read_only=True)

    class Meta:
        model = Stock
        fields = ["book", "title", "copies"]
        extra_kwargs = {"copies": {"required": True}}

    def update(self, stock: Stock, changes: dict[str, Any]) -> Stock:
        return set_copies(self.context["request"], stock.book, changes.get("copies", stock.copies))


class BranchStockView(ShopAPI, GenericAPIView):
    queryset = Stock.objects.select_related("book")
    serializer_class = StockSerializer
    authentication_classes = [LogtoOrganizationAuthentication, SessionAuthentication]
    permission_classes = [HasOrganizationScope("manage:stock")]

    def get_queryset(self) -> QuerySet[Stock]:
        return super().get_queryset().for_request(self.request)


@extend_schema_view(get=extend_schema(summary="The books that a branch has or had, by title"))
class BranchStockList(BranchStockView, ListAPIView):
    pass


@extend_schema_view(
    get=extend_schema(summary="How many copies of a book a branch has"),
    put=extend_schema(summary="Set how many copies of a book a branch has"),
    patch=extend_schema(summary="Set how many copies of a book a branch has"),
)
class BranchStock(BranchStockView, RetrieveUpdateAPIView):
    def get_object(self) -> Stock:
        """Return the row, or a new unsaved one: a branch has no copies until their number is set."""
        book = get_object_or_404(Book, slug=self.kwargs["slug"])
        return self.get_queryset().filter(book=book).first() or Stock(book=book)

"""`/api/orders/`: the orders of the user, and new orders. Machine-to-machine applications have no orders."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from bookstore.catalog.models import Book
from bookstore.orders.basket import BasketLine
from bookstore.orders.checkout import CheckoutRefused, PriceChanged, SoldOut, place_order
from bookstore.orders.models import Order, OrderLine
from logto_auth.contrib.rest_framework import IsUser

from .base import ShopAPI
from .errors import ErrorSerializer, RequestRejected

MOST_LINES = 50


class OrderLineSerializer(serializers.ModelSerializer):
    book = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    title = serializers.CharField(source="book.title", read_only=True)

    class Meta:
        model = OrderLine
        fields = ["book", "title", "quantity", "price_cents"]


class OrderSerializer(serializers.ModelSerializer):
    lines = OrderLineSerializer(many=True)
    total_cents = serializers.IntegerField()

    class Meta:
        model = Order
        fields = ["id", "placed_at", "total_cents", "lines"]


class NewLineSerializer(serializers.Serializer):
    book = serializers.SlugField(help_text="The slug of a book.")
    quantity = serializers.IntegerField(min_value=1)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new order",
            request_only=True,
            value={"lines": [{"book": "emma-jane-austen", "quantity": 1}]},
        )
    ]
)
class NewOrderSerializer(serializers.Serializer):
    """A new order. The lines become a list of BasketLine."""

    lines = NewLineSerializer(many=True, max_length=MOST_LINES)
    agreed_cents = serializers.IntegerField(
        required=False, help_text="The total that the user saw. Without it the order is placed at any price."
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[BasketLine]:
        slugs = [line["book"] for line in lines]
        books = Book.objects.in_bulk(slugs, field_name="slug")
        faults = {}
        for index, slug in enumerate(slugs):
            if slug not in books:
                faults[index] = {"book": [_("There is no book “%(slug)s”.") % {"slug": slug}]}
            elif slug in slugs[:index]:
                faults[index] = {"book": [_("There is a line for this book already.")]}
        if faults:
            raise ValidationError(faults)
        return [BasketLine(books[line["book"]], line["quantity"]) for line in lines]


class OrderErrorSerializer(ErrorSerializer):
    books = serializers.ListField(
        child=serializers.SlugField(), required=False, help_text="The books with too few copies (sold_out)."
    )
    total_cents = serializers.IntegerField(required=False, help_text="What the order costs now (price_changed).")


@extend_schema_view(
    list=extend_schema(summary="Your orders, newest first"),
    retrieve=extend_schema(summary="One of your orders"),
)
class OrderViewSet(ShopAPI, ReadOnlyModelViewSet):
    queryset = Order.objects.with_totals().prefetch_related(
        Prefetch("lines", queryset=OrderLine.objects.select_related("book"))
    )
    serializer_class = OrderSerializer
    permission_classes = [IsUser]
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Order]:
        return super().get_queryset().filter(user=self.request.user.pk)

    @extend_schema(
        summary="Place an order",
        description="Error codes: empty and too_many_copies (400), sold_out and price_changed (409).",
        request=NewOrderSerializer,
        responses={201: OrderSerializer, 400: OrderErrorSerializer, 409: OrderErrorSerializer},
    )
    def create(self, request: Request) -> Response:
        wanted = NewOrderSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            placed = place_order(
                request.user,
                wanted.validated_data["lines"],
                agreed_cents=wanted.validated_data.get("agreed_cents"),
            )
        except CheckoutRefused as refused:
            raise _api_error(refused) from refused
        order = self.get_serializer(self.get_queryset().get(pk=placed.pk)).data
        location = reverse("api:order-detail", args=[placed.pk])
        return Response(order, status=status.HTTP_201_CREATED, headers={"Location": location})


def _api_error(refused: CheckoutRefused) -> RequestRejected:
    """Return the API error for a refused checkout: 409 if the same order may succeed later, else 400."""
    if isinstance(refused, SoldOut):
        return RequestRejected(str(refused), refused.code, books=[book.slug for book in refused.books])
    if isinstance(refused, PriceChanged):
        return RequestRejected(str(refused), refused.code, total_cents=refused.total_cents)
    return RequestRejected(str(refused), refused.code, status=status.HTTP_400_BAD_REQUEST)

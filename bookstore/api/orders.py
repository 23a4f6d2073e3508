"""`/api/orders/`: one's own orders, and placing one. A person has orders, a machine has none."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
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
from .errors import ErrorResponse, RefusalSerializer

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


class WantedLineSerializer(serializers.Serializer):
    book = serializers.SlugField(help_text="The slug of a book.")
    quantity = serializers.IntegerField(min_value=1)


class WantedOrderSerializer(serializers.Serializer):
    """What somebody wants to order. The lines become a list of BasketLine."""

    lines = WantedLineSerializer(many=True, max_length=MOST_LINES)
    agreed_cents = serializers.IntegerField(
        required=False, help_text="The total that the reader saw. Without it the order is placed at any price."
    )

    def validate_lines(self, lines: list[dict[str, Any]]) -> list[BasketLine]:
        slugs = [line["book"] for line in lines]
        books = Book.objects.in_bulk(slugs, field_name="slug")
        faults = {}
        for index, slug in enumerate(slugs):
            if slug not in books:
                faults[index] = {"book": [_("We have no book “%(slug)s”.") % {"slug": slug}]}
            elif slug in slugs[:index]:
                faults[index] = {"book": [_("There is a line for this book already.")]}
        if faults:
            raise ValidationError(faults)
        return [BasketLine(books[line["book"]], line["quantity"]) for line in lines]


class OrderRefusalSerializer(RefusalSerializer):
    books = serializers.ListField(
        child=serializers.SlugField(), required=False, help_text="Those of which there are fewer copies (sold_out)."
    )
    total_cents = serializers.IntegerField(required=False, help_text="What the order costs now (price_changed).")


@extend_schema_view(
    list=extend_schema(summary="One's own orders, newest first"),
    retrieve=extend_schema(summary="One of one's own orders"),
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
        description="Refusals are empty and too_many_copies (400), sold_out and price_changed (409).",
        request=WantedOrderSerializer,
        responses={201: OrderSerializer, 400: OrderRefusalSerializer, 409: OrderRefusalSerializer},
    )
    def create(self, request: Request) -> Response:
        wanted = WantedOrderSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            placed = place_order(
                request.user,
                wanted.validated_data["lines"],
                agreed_cents=wanted.validated_data.get("agreed_cents"),
            )
        except CheckoutRefused as refused:
            raise _refusal(refused) from refused
        order = self.get_serializer(self.get_queryset().get(pk=placed.pk)).data
        location = reverse("api:order-detail", args=[placed.pk])
        return Response(order, status=status.HTTP_201_CREATED, headers={"Location": location})


def _refusal(refused: CheckoutRefused) -> ErrorResponse:
    """What a program is told; a conflict is what may be otherwise at another time."""
    if isinstance(refused, SoldOut):
        return ErrorResponse(str(refused), refused.code, books=[book.slug for book in refused.books])
    if isinstance(refused, PriceChanged):
        return ErrorResponse(str(refused), refused.code, total_cents=refused.total_cents)
    return ErrorResponse(str(refused), refused.code, status=status.HTTP_400_BAD_REQUEST)

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bookstore.core.templatetags.shop import money

from .models import Order, OrderLine


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 0
    autocomplete_fields = ["book"]


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "user", "placed_at", "total"]
    list_select_related = ["user"]
    date_hierarchy = "placed_at"
    raw_id_fields = ["user"]
    inlines = [OrderLineInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.with_totals()

    @admin.display(description=_("total"), ordering="total_cents")
    def total(self, order: Order) -> str:
        return money(order.total_cents or 0)

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from bookstore.core.templatetags.shop import money
from logto_auth.impersonation import may_impersonate

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

    def get_readonly_fields(self, request: HttpRequest, obj: Order | None = None) -> list[str]:
        """Add the link to support access, for staff who may act as the reader of the order."""
        offers_access = settings.HAS_SUPPORT_ACCESS and obj and obj.user and may_impersonate(request, obj.user)
        return ["support_access"] if offers_access else []

    @admin.display(description=_("support access"))
    def support_access(self, order: Order) -> str:
        url = reverse("logto_impersonation:user", args=[order.user_id], query={"next": order.get_absolute_url()})
        return format_html('<a href="{}">{}</a>', url, _("See the shop as this reader…"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return Order.objects.with_totals()

    @admin.display(description=_("total"), ordering="total_cents")
    def total(self, order: Order) -> str:
        return money(order.total_cents or 0)

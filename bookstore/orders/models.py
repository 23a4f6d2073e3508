"""Orders and their lines."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from bookstore.catalog.models import Book


class OrderQuerySet(models.QuerySet["Order"]):
    def with_totals(self) -> "OrderQuerySet":
        """Return the orders, newest first, each with `total_cents` and `copies` from the database."""
        return self.annotate(
            total_cents=Sum(F("lines__price_cents") * F("lines__quantity")),
            copies=Sum("lines__quantity"),
        ).order_by(*self.model._meta.ordering)  # a query with GROUP BY loses the model's ordering


class Order(models.Model):
    # An order remains when its reader deletes the account, because the shop has to keep its books. Nothing else in it
    # is personal.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("reader"),
    )
    placed_at = models.DateTimeField(_("placed"), auto_now_add=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")

    def __str__(self) -> str:
        return _("Order %(number)s") % {"number": self.pk}

    def get_absolute_url(self) -> str:
        return reverse("orders:detail", args=[self.pk])


class OrderLine(models.Model):
    """Copies of one book at the price of the order date."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    book = models.ForeignKey(Book, on_delete=models.PROTECT, related_name="order_lines", verbose_name=_("book"))
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    price_cents = models.PositiveIntegerField(_("price in cents"))

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["order", "book"], name="orders_line_once_per_book"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="orders_line_quantity_is_positive"),
            models.CheckConstraint(condition=Q(price_cents__gt=0), name="orders_line_price_is_positive"),
        ]
        verbose_name = _("line")
        verbose_name_plural = _("lines")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.book}"

    @property
    def total_cents(self) -> int:
        return self.quantity * self.price_cents

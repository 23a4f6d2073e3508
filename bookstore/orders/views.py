"""The basket for every visitor; checkout and orders for signed-in users; all orders for staff."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.generic import DetailView, ListView, TemplateView, View

from bookstore.catalog.models import Book
from logto_auth.mixins import SecondFactorRequiredMixin

from .basket import MOST_COPIES, Basket, BasketLine
from .checkout import CheckoutRefused, PriceChanged, place_order
from .export import write_csv
from .forms import CheckoutForm, QuantityForm
from .models import Order, OrderLine


class BasketPage(TemplateView):
    template_name = "orders/basket.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = list(Basket(self.request.session))
        return super().get_context_data(
            lines=lines,
            total_cents=total(lines),
            can_check_out=bool(lines) and not any(line.is_short for line in lines),
            most_copies=MOST_COPIES,
            **kwargs,
        )


@require_POST
def add_to_basket(request: HttpRequest, slug: str) -> HttpResponse:
    book = get_object_or_404(Book, slug=slug)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a number of copies from 1 to %(most)s.") % {"most": MOST_COPIES})
        return redirect(book)
    basket = Basket(request.session)
    count_before = len(basket)
    basket.add(book, form.cleaned_data["quantity"])
    if len(basket) > count_before:
        messages.success(request, _("“%(title)s” is in your basket.") % {"title": book.local_title})
    elif book.is_sold_out:
        messages.error(request, _("“%(title)s” has just sold out.") % {"title": book.local_title})
    else:
        messages.info(
            request, _("Your basket holds all the copies of “%(title)s” we can sell you.") % {"title": book.local_title}
        )
    return redirect("orders:basket")


@require_POST
def change_basket(request: HttpRequest, slug: str) -> HttpResponse:
    book = get_object_or_404(Book, slug=slug)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a number of copies from 0 to %(most)s.") % {"most": MOST_COPIES})
    elif not Basket(request.session).set(book, form.cleaned_data["quantity"]):
        messages.info(request, _("“%(title)s” is out of your basket.") % {"title": book.local_title})
    return redirect("orders:basket")


class Checkout(LoginRequiredMixin, TemplateView):
    """Show the order; place it on POST."""

    template_name = "orders/checkout.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.basket = Basket(request.session)
        if request.user.is_authenticated and not len(self.basket):
            messages.info(request, _("Your basket is empty."))
            return redirect("orders:basket")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        lines = list(self.basket)
        total_cents = total(lines)
        form = CheckoutForm(initial={"agreed_cents": total_cents})
        return super().get_context_data(lines=lines, total_cents=total_cents, form=form, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CheckoutForm(request.POST)
        lines = list(self.basket)
        if not form.is_valid() or not lines:
            return redirect("orders:checkout")
        try:
            order = place_order(request.user, lines, agreed_cents=form.cleaned_data["agreed_cents"])
        except PriceChanged as refused:
            messages.warning(request, str(refused))
            return redirect("orders:checkout")
        except CheckoutRefused as refused:
            messages.error(request, str(refused))
            return redirect("orders:basket")
        self.basket.clear()
        messages.success(request, _("Thank you. Your order is placed."))
        return redirect(order)


class OwnOrders(LoginRequiredMixin):
    """Limit the view to the orders of the user; others are a 404."""

    def get_queryset(self) -> QuerySet[Order]:
        return Order.objects.filter(user=self.request.user).with_totals()


class OrderList(OwnOrders, ListView):
    template_name = "orders/order_list.html"
    context_object_name = "orders"
    paginate_by = 20

    def get_queryset(self) -> QuerySet[Order]:
        lines = OrderLine.objects.select_related("book")
        return super().get_queryset().prefetch_related(Prefetch("lines", queryset=lines))


class OrderDetail(OwnOrders, DetailView):
    template_name = "orders/order_detail.html"
    context_object_name = "order"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(lines=self.object.lines.select_related("book"), **kwargs)


class AllOrders(PermissionRequiredMixin, SecondFactorRequiredMixin, View):
    """Limit the view to staff who signed in with a second factor: a stolen password alone shows no orders."""

    permission_required = "orders.view_order"


class ExportPage(AllOrders, TemplateView):
    """Say what the file contains. A download alone would leave the user on the page of Logto after the sign-in."""

    template_name = "orders/export.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            order_count=Order.objects.count(), methods=self.request.logto.authentication_methods, **kwargs
        )


class ExportFile(AllOrders):
    def get(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="orders.csv"'
        response["Cache-Control"] = "no-store"
        write_csv(response)
        return response


def total(lines: list[BasketLine]) -> int:
    """Return the total of the lines in cents."""
    return sum(line.total_cents for line in lines)

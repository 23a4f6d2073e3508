"""The branches of the user, and the stock of a branch for its managers."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django.views.generic import ListView, TemplateView

from bookstore.catalog.models import Book
from bookstore.catalog.search import search_words
from logto_auth.decorators import organization_required, organization_scope_required
from logto_auth.exceptions import LogtoError
from logto_auth.mixins import OrganizationScopeRequiredMixin

from .forms import CopiesForm
from .stock import books_with_copies, set_copies

MANAGE_STOCK = "manage:stock"


class BranchList(LoginRequiredMixin, TemplateView):
    """The branches that the user belongs to, as of the latest claims."""

    template_name = "branches/branch_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        branches = [branch.id for branch in self.request.logto.organizations]
        return super().get_context_data(
            with_stock=[branch for branch in branches if may_manage_stock(self.request, branch)], **kwargs
        )


def may_manage_stock(request: HttpRequest, branch: str) -> bool:
    """Return whether the page of the stock is linked. If Logto cannot say it, it is: the page checks again."""
    try:
        return MANAGE_STOCK in request.logto.organization_permissions(branch)
    except LogtoError:
        return True


@organization_required
def own_stock(request: HttpRequest) -> HttpResponse:
    """Redirect to the stock of the branch that is selected in the header."""
    return redirect("branches:stock", request.logto.organization_id)


class StockPage(OrganizationScopeRequiredMixin, ListView):
    """The books of a branch, or the search results of the whole shop, each with the copies in the branch."""

    organization_scopes_required = [MANAGE_STOCK]
    template_name = "branches/stock.html"
    context_object_name = "books"
    paginate_by = 24

    def get_queryset(self) -> QuerySet[Book]:
        self.words = search_words(self.request.GET)
        return books_with_copies(self.request, self.words).by_title()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(stock_words=self.words, **kwargs)


@require_POST
@organization_scope_required(MANAGE_STOCK)
def change_copies(request: HttpRequest, organization_id: str, slug: str) -> HttpResponse:
    book = get_object_or_404(Book, slug=slug)
    form = CopiesForm(request.POST)
    if form.is_valid():
        set_copies(request, book, form.cleaned_data["copies"])
        messages.success(request, _("The number of copies of “%(title)s” is saved.") % {"title": book.local_title})
    else:
        messages.error(
            request, _("Enter the number of copies of “%(title)s”, 0 or more.") % {"title": book.local_title}
        )
    return redirect(f"{reverse('branches:stock', args=[organization_id])}?{request.GET.urlencode()}")

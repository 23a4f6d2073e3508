"""The stock of the branches. A branch is an organization at Logto."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bookstore.catalog.models import Book
from logto_auth.models import Organization
from logto_auth.organizations import OrganizationQuerySet


class Stock(models.Model):
    """The number of copies of a book in a branch; `Book.stock` counts those of the online shop."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="stock", verbose_name=_("branch")
    )
    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="stock_of_branches", verbose_name=_("book"))
    copies = models.PositiveIntegerField(_("copies"), default=0)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        ordering = ["book__title", "book"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "book"], name="branches_stock_once_per_book"),
        ]
        verbose_name = _("stock of a branch")
        verbose_name_plural = _("stock of the branches")

    def __str__(self) -> str:
        return f"{self.copies} × {self.book} @ {self.organization}"

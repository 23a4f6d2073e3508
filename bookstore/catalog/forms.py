"""The form with which editors add and change books."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Book


class BookForm(forms.ModelForm):
    price = forms.DecimalField(
        label=_("Price in dollars"),
        min_value=Decimal("0.01"),
        max_value=Decimal("9999.99"),
        max_digits=6,
        decimal_places=2,
    )

    class Meta:
        model = Book
        fields = [
            "title",
            "original_title",
            "author",
            "year",
            "year_is_approximate",
            "language",
            "category",
            "description",
            "price",
            "stock",
        ]
        widgets = {"description": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        if self.instance.price_cents:
            self.initial["price"] = Decimal(self.instance.price_cents).scaleb(-2)

    def save(self, commit: bool = True) -> Book:
        self.instance.price_cents = int(self.cleaned_data["price"] * 100)
        return super().save(commit)

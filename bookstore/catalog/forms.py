"""The form with which editors add and change books."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Book

JAPANESE = ["title_ja", "title_kana", "author_ja", "author_kana", "description_ja"]
CHINESE = ["title_zh_hans", "title_pinyin", "author_zh_hans", "author_pinyin", "description_zh_hans"]


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
            "other_names",
            *JAPANESE,
            *CHINESE,
        ]
        widgets = {
            name: forms.Textarea(attrs={"rows": 5}) for name in ("description", "description_ja", "description_zh_hans")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        if self.instance.price_cents:
            self.initial["price"] = Decimal(self.instance.price_cents).scaleb(-2)

    def own_fields(self) -> list[forms.BoundField]:
        """Return the fields of the book itself, in English."""
        return [field for field in self if field.name not in (*JAPANESE, *CHINESE)]

    def translations(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Return the fields of each other language: the name of the language, the fields, and whether one is wrong."""
        groups = ((_("In Japanese"), JAPANESE), (_("In Simplified Chinese"), CHINESE))
        return [
            (str(label), [self[name] for name in names], any(self[name].errors for name in names))
            for label, names in groups
        ]

    def save(self, commit: bool = True) -> Book:
        self.instance.price_cents = int(self.cleaned_data["price"] * 100)
        return super().save(commit)

from django import forms
from django.utils.translation import gettext_lazy as _

from .basket import MOST_COPIES


class QuantityForm(forms.Form):
    """The number of copies to add or to keep; 0 removes a book from the basket."""

    quantity = forms.IntegerField(label=_("Copies"), min_value=0, max_value=MOST_COPIES)


class CheckoutForm(forms.Form):
    """The total that the user saw when placing the order."""

    agreed_cents = forms.IntegerField(widget=forms.HiddenInput)

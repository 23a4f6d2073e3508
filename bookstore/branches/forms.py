from django import forms

from .models import Stock


class CopiesForm(forms.ModelForm):
    """How many copies of a book the branch has now."""

    class Meta:
        model = Stock
        fields = ["copies"]

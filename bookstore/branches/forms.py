from django import forms

from .models import Stock


class CopiesForm(forms.ModelForm):
    """The number of copies of a book in the branch."""

    class Meta:
        model = Stock
        fields = ["copies"]

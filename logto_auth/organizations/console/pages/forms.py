"""The forms of the console. Logto and `Console` check everything again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from logto_auth.organizations.console.console import OrganizationRole
from logto_auth.organizations.console.creation import MAX_NAME_LENGTH

__all__ = ["ConfirmationForm", "CreateForm", "DeleteForm", "NameForm", "RolesForm", "role_choices"]


class NameForm(forms.Form):
    """The name of an organization."""

    name = forms.CharField(
        label=_("Organization name"), max_length=MAX_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class CreateForm(NameForm):
    """The name of a new organization, and the key by which a repeated form finishes what the first one has begun."""

    key = forms.CharField(max_length=64, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(16))


class ConfirmationForm(forms.Form):
    """A button, and the place of an error."""


class DeleteForm(forms.Form):
    """The user types the name of the organization, so that none is deleted by a slip."""

    confirmation = forms.CharField(
        max_length=255, widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"})
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = _single_spaced(expected)
        self.fields["confirmation"].label = gettext("To confirm, type %(name)s") % {"name": self.expected}

    def clean_confirmation(self) -> str:
        """Return what was typed. Raise ValidationError if it is not the name of the organization."""
        typed: str = self.cleaned_data["confirmation"]
        if _single_spaced(typed).casefold() != self.expected.casefold():
            raise ValidationError(_("This is not the name of the organization. Nothing was deleted."))
        return typed


class RolesForm(forms.Form):
    """A choice of roles, by name: a box for each role that the user may grant."""

    roles = forms.MultipleChoiceField(label=_("Roles"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, grantable: Sequence[OrganizationRole], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["roles"].choices = role_choices(grantable)  # type: ignore[attr-defined]


def role_choices(roles: Iterable[OrganizationRole]) -> list[tuple[str, OrganizationRole]]:
    """Return the choices of a field for roles, by name. The template `_roles_field.html` shows the roles."""
    return [(role.name, role) for role in roles]


def _single_spaced(text: str) -> str:
    """Return the text as a browser shows it: users type what they see."""
    return " ".join(text.split())

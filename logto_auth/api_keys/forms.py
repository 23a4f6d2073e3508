"""The forms of the pages. `ApiKeys` and Logto check everything again."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta, timezone
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from logto_auth.conf import conf

from .service import MAX_DAYS, MAX_NAME_LENGTH

__all__ = ["KeyNameForm", "NewKeyForm"]

# The choices of a lifetime in days. Longer ones than the site allows are left out.
DAYS = (7, 30, 90, 180, 365)
DEFAULT_DAYS = 90
NEVER = ""


class KeyNameForm(forms.Form):
    """The name of a key."""

    name = forms.CharField(
        label=_("Key name"), max_length=MAX_NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class NewKeyForm(KeyNameForm):
    """The name of a new key, for how long it is valid, and what marks the form when it is sent twice."""

    expires_at = forms.ChoiceField(label=_("Valid for"), required=False)
    form_id = forms.CharField(
        max_length=64, required=False, widget=forms.HiddenInput, initial=lambda: secrets.token_urlsafe(16)
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = _("What you will use the key for, such as the name of a program or a device.")
        choices = lifetimes()
        days = [each for each, _label in choices]
        field: Any = self.fields["expires_at"]
        field.choices = choices
        field.initial = str(DEFAULT_DAYS) if str(DEFAULT_DAYS) in days else days[-1]
        field.required = NEVER not in days

    @property
    def expiry(self) -> datetime | None:
        """The time at which the new key expires; None if it never does. Only for a valid form."""
        days = self.cleaned_data["expires_at"]
        return datetime.now(timezone.utc) + timedelta(days=int(days)) if days else None


def lifetimes() -> list[tuple[str, str | Promise]]:
    """Return the choices of a lifetime: days, with a label."""
    most = conf.api_key_max_days
    days = sorted({each for each in DAYS if most is None or each < most} | ({min(most, MAX_DAYS)} if most else set()))
    choices: list[tuple[str, str | Promise]] = [
        (str(each), ngettext("%(days)d day", "%(days)d days", each) % {"days": each}) for each in days
    ]
    return choices if most is not None else [*choices, (NEVER, _("Unlimited time"))]

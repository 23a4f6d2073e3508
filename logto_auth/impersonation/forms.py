"""The form that starts support access: the reason, and for how long."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from logto_auth.conf import conf
from logto_auth.sessions.impersonation_rules import MAX_REASON_LENGTH

__all__ = ["StartForm", "durations"]

# Offered below `LOGTO_IMPERSONATION_SECONDS`.
DURATIONS = (15 * 60, 30 * 60, 3600, 2 * 3600, 4 * 3600, 8 * 3600)
# Chosen when the page opens, unless it is too long: most questions take less.
USUAL_DURATION = 30 * 60


class StartForm(forms.Form):
    """Why staff act as a user, for how long, and the page to open then."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON_LENGTH,
        help_text=_("Why you need it, such as the number of the request. Staff who read the audit trail see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    seconds = forms.TypedChoiceField(label=_("For how long"), coerce=int)
    next = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = durations(conf.impersonation_seconds)
        field = self.fields["seconds"]
        field.choices = [(seconds, duration_text(seconds)) for seconds in choices]  # type: ignore[attr-defined]
        field.initial = max(each for each in choices if each <= max(USUAL_DURATION, choices[0]))


def durations(longest: int) -> list[int]:
    """Return the durations to choose from, in seconds; the last one is `longest`."""
    return [*(each for each in DURATIONS if each < longest), longest]


def duration_text(seconds: int) -> str:
    """Return a duration in words."""
    hours, minutes = divmod(-(-seconds // 60), 60)
    if hours and not minutes:
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", seconds) % {"count": seconds}
    minutes += 60 * hours
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}

"""Several sentences in a row, in the way of the user's language."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext

__all__ = ["joined"]


def joined(sentences: Iterable[str]) -> str:
    """Return the sentences as one text. Japanese and Chinese have no space between them."""
    text = ""
    for sentence in sentences:
        text = gettext("%(first)s %(second)s") % {"first": text, "second": sentence} if text else sentence
    return text

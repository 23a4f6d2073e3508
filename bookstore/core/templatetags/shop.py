"""`{% load shop %}`: money, and links to other pages of a list."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.db.models import Model
from django.utils.formats import number_format
from django.utils.safestring import mark_safe

from bookstore.catalog.languages import is_translated

register = template.Library()

LIST_PARAMETERS = ("q", "category", "sort", "page")


@register.filter
def money(cents: int) -> str:
    """`{{ 1250|money }}` is `$12.50`, with the separators of the current language."""
    return f"${number_format(cents / 100, decimal_pos=2, force_grouping=True)}"


@register.filter
def english(row: Model, name: str) -> str:
    """`<h1{{ book|english:"title" }}>` has `lang="en"` if the page has another language and the title is English."""
    return "" if is_translated(row, name) else mark_safe(' lang="en"')


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """`{% query page=2 %}` is the current choice of books with `page` replaced; None removes a key."""
    current = context["request"].GET
    choice = {name: current.get(name) for name in LIST_PARAMETERS} | changes
    return "?" + urlencode({name: value for name, value in choice.items() if value})


@register.simple_tag
def demo_messages_url() -> str:
    """`{% demo_messages_url as url %}` is where the emulator shows its messages, "" with a real Logto."""
    return f"{settings.LOGTO_ENDPOINT}/emulator/messages" if settings.USES_EMULATOR else ""

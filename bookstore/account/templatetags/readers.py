"""`{% load readers %}`: the name and initials of the signed-in user."""

from typing import Any

from django import template

from bookstore.account import names

register = template.Library()


@register.simple_tag(takes_context=True)
def reader_name(context: dict[str, Any]) -> str:
    """`{% reader_name as name %}` is the display name of the signed-in user."""
    request = context["request"]
    return names.display_name(request.user, request.logto.claims)


@register.filter
def initials(name: str) -> str:
    return names.initials(name)

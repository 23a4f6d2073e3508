"""`{% load branches %}`: the stock of the user's branch."""

from typing import Any

from django import template

from bookstore.branches import stock
from bookstore.catalog.models import Book

register = template.Library()


@register.simple_tag(takes_context=True)
def branch_copies(context: dict[str, Any], book: Book) -> int:
    """`{% branch_copies book as copies %}` is how many copies the current branch has; 0 without one."""
    return stock.copies_of(context["request"], book)

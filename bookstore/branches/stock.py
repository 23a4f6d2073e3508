"""The stock of the branch that a request is about: the one in its address, if the person or the token belongs there."""

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from bookstore.catalog.models import Book
from logto_auth.organizations import organization_of

from .models import Stock


def books_with_copies(request: HttpRequest, words: str = "") -> QuerySet[Book]:
    """The books that match `words`, each with `copies`, which is None for one that the branch has never had.

    Without words, all that the branch has ever had.
    """
    own = Stock.objects.for_request(request).filter(book=OuterRef("pk"))
    books = Book.objects.annotate(copies=Subquery(own.values("copies")))
    return books.search(words) if words else books.filter(copies__isnull=False)


def copies_of(request: HttpRequest, book: Book) -> int:
    """How many copies of a book the branch has."""
    return Stock.objects.for_request(request).filter(book=book).values_list("copies", flat=True).first() or 0


def set_copies(request: HttpRequest, book: Book, copies: int) -> Stock:
    """Note how many copies of a book the branch has now. Raises OrganizationRequired."""
    organization = organization_of(request)
    stock, _ = Stock.objects.update_or_create(organization=organization, book=book, defaults={"copies": copies})
    return stock

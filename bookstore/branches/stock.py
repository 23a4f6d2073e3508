"""The stock of the branch that the URL selects, if the user or the token belongs to it."""

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest

from bookstore.catalog.models import Book, BookQuerySet
from logto_auth.organizations import organization_of

from .models import Stock


def books_with_copies(request: HttpRequest, words: str = "") -> BookQuerySet:
    """Return the books that match `words`, each with `copies`, which is None if the branch never had the book.

    Without words, return all books that the branch has or had.
    """
    own = Stock.objects.for_request(request).filter(book=OuterRef("pk"))
    books = Book.objects.annotate(copies=Subquery(own.values("copies")))
    return books.search(words) if words else books.filter(copies__isnull=False)


def copies_of(request: HttpRequest, book: Book) -> int:
    """Return how many copies of a book the branch has."""
    return Stock.objects.for_request(request).filter(book=book).values_list("copies", flat=True).first() or 0


def set_copies(request: HttpRequest, book: Book, copies: int) -> Stock:
    """Set how many copies of a book the branch has. Raise OrganizationRequired without a current organization."""
    organization = organization_of(request)
    stock, _ = Stock.objects.update_or_create(organization=organization, book=book, defaults={"copies": copies})
    return stock

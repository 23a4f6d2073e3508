"""What somebody searches for, on the pages and in the API."""

from collections.abc import Mapping

LONGEST_SEARCH = 100


def search_words(query: Mapping[str, str]) -> str:
    """The words of `?q=`, as far as a search takes them."""
    return query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]

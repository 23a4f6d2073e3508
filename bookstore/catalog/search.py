"""The search words, for pages and API."""

from collections.abc import Mapping

LONGEST_SEARCH = 100


def search_words(query: Mapping[str, str]) -> str:
    """Return the words of `?q=`, without characters that a search cannot use."""
    return query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]

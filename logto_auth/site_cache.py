"""The site's cache, as something that may be out of reach."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger("logto_auth")


@contextmanager
def cache_failures_ignored() -> Iterator[None]:
    """Go on without the cache when it fails: nothing of ours depends on it but speed."""
    try:
        yield
    except Exception:  # each cache backend raises errors of its own
        logger.warning("The cache is out of reach, which costs time and nothing else.", exc_info=True)

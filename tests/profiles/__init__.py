"""Settings modules of unusual sites: each module of this package is a profile, with one thing that our settings lack.

`make test-profiles` (`python -m tests.profiles`) runs pytest once for each profile. A profile is a Django settings
module that may also define:

- `PROFILE_TESTS`: the arguments for pytest; the default is `DEFAULT_TESTS`.
- `PROFILE_FAULTS`: tests that fail on this profile, with the reason, which begins with the id of the fault. When such
  a test passes, the run fails, so that the entry is removed.
- `PROFILE_SKIPS`: tests that have no meaning on this profile, with the reason.

The keys of both are patterns (`fnmatch`) for "file name::test name", such as `test_sign_in.py::test_a_name_*`.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from django.conf import settings

DEFAULT_TESTS = ["tests/sign_in", "tests/sessions", "tests/flows"]


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that the current profile names."""
    faults, skips = (getattr(settings, name, {}) for name in ("PROFILE_FAULTS", "PROFILE_SKIPS"))
    marks = [
        *((pattern, pytest.mark.xfail(reason=reason, strict=True)) for pattern, reason in faults.items()),
        *((pattern, pytest.mark.skip(reason=reason)) for pattern, reason in skips.items()),
    ]
    for pattern, marker in marks:
        for item in items:
            if fnmatchcase(_literal(f"{item.path.name}::{item.name}"), _literal(pattern)):
                item.add_marker(marker)


def _literal(text: str) -> str:
    """Replace square brackets: in a pattern they would be a set of characters, in test names they hold parameters."""
    return text.translate(str.maketrans("[]", "()"))

"""Unusual sites. Each module of this package is a profile: a Django settings module with one thing that ours lack.

`make test-profiles` runs pytest once for each profile, two at a time. One profile alone:

    python -m tests.profiles --profile script_prefix
    python -m tests.profiles --profile script_prefix -k sign_out -x

To add a profile, write one module here. Import the settings of the small site in `site` and change one thing:

    \"""A site that ...\"""

    from tests.profiles.site.settings import *

    FORCE_SCRIPT_NAME = "/shop"

It runs all tests in `flows`, and those in `own/test_<name of the profile>.py` if that file exists. The tests in `flows`
are written once for all profiles: they use URL names and not paths, `rows()` in place of a manager, and `local_user()`
in place of `create_user()`. A rule has its own tests elsewhere; `flows` has one probe for each entrance of the package.
`ordinary` changes nothing: a test that fails there too has another cause.

A profile may define:

- `PROFILE_FAULTS`: what fails on such a site today. The keys are reasons, which begin with the id of the fault; the
  values are patterns of tests. When such a test passes, the run fails, so that the entry is removed. They are right
  for SQLite: with `TEST_DATABASE=postgresql`, other tests may fail.
- `PROFILE_SKIPS`: the same for tests that have no meaning on this site.
- `PROFILE_TRANSACTIONAL`: True if the tests must not run in a transaction. They are slower then.
- `PROFILE_TESTS`: arguments for pytest, in place of the tests above.

A pattern (`fnmatch`) is for "file name::test name", such as `test_sign_out.py::*` or `test_api.py::test_machine*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from django.conf import settings

Reasons = Mapping[str, Iterable[str]]
FOLDER = Path(__file__).parent


def tests_of(name: str) -> list[str]:
    """Return the tests of a profile that does not define `PROFILE_TESTS`, as arguments for pytest."""
    own = Path("tests/profiles/own") / f"test_{name}.py"
    return ["tests/profiles/flows", *([str(own)] if (FOLDER / "own" / own.name).exists() else [])]


def mark(items: list[pytest.Item], *, is_whole: bool) -> None:
    """Mark the tests that the current profile names.

    Raise UsageError for a pattern of no test. `is_whole`: files were collected, and not single tests.
    """
    faults: Reasons = getattr(settings, "PROFILE_FAULTS", {})
    skips: Reasons = getattr(settings, "PROFILE_SKIPS", {})
    marks = [
        *((pattern, pytest.mark.xfail(reason=reason, strict=True)) for reason in faults for pattern in faults[reason]),
        *((pattern, pytest.mark.skip(reason=reason)) for reason in skips for pattern in skips[reason]),
    ]
    collected = {item.path.name for item in items}
    for pattern, marker in marks:
        named = [item for item in items if fnmatchcase(_literal(f"{item.path.name}::{item.name}"), _literal(pattern))]
        if is_whole and not named and pattern.partition("::")[0] in collected:
            raise pytest.UsageError(f"{settings.SETTINGS_MODULE}: no test matches {pattern!r}.")
        for item in named:
            item.add_marker(marker)


def _literal(text: str) -> str:
    """Replace square brackets: in a pattern they would be a set of characters, in test names they hold parameters."""
    return text.translate(str.maketrans("[]", "()"))

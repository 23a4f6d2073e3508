"""Run pytest once for each profile: `python -m tests.profiles [--profile NAME] [ARGUMENTS FOR PYTEST]`."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
import time
from pathlib import Path

from . import DEFAULT_TESTS

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.profiles", allow_abbrev=False)
    parser.add_argument("--profile", action="append", help="run this one only; may be repeated")
    options, arguments = parser.parse_known_args()
    names = options.profile or sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if not module.name.startswith("_")
    )
    failed = [name for name in names if not passes(name, arguments)]
    print(f"\nProfiles: {len(names)}. Failed: {', '.join(failed) or 'none'}.", flush=True)
    return 1 if failed else 0


def passes(name: str, arguments: list[str]) -> bool:
    """Run the tests of one profile and return whether they passed."""
    print(f"\n=== Profile {name}", flush=True)
    started_at = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *tests_of(name), *arguments],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": f"tests.profiles.{name}"},
        check=False,
    )
    result = "passed" if run.returncode == 0 else f"FAILED (pytest ended with {run.returncode})"
    print(f"=== Profile {name}: {result} in {time.monotonic() - started_at:.0f} s", flush=True)
    return run.returncode == 0


def tests_of(name: str) -> list[str]:
    """Return the arguments for pytest that the profile names."""
    try:
        module = importlib.import_module(f"tests.profiles.{name}")
    except Exception:
        # pytest reads the same module, and reports the error.
        return DEFAULT_TESTS
    return getattr(module, "PROFILE_TESTS", DEFAULT_TESTS)


if __name__ == "__main__":
    sys.exit(main())

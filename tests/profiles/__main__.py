"""Run pytest for each profile: `python -m tests.profiles [--profile NAME] [--jobs N] [ARGUMENTS FOR PYTEST]`."""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from . import FOLDER, tests_of

ROOT = FOLDER.parents[1]
# As it is before a profile that chooses its database server is imported.
ENVIRONMENT = dict(os.environ)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.profiles", allow_abbrev=False)
    parser.add_argument("--profile", action="append", help="run this one only; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="how many profiles run at a time (default: 2)")
    options, arguments = parser.parse_known_args()
    names = options.profile or sorted(
        module.name
        for module in pkgutil.iter_modules([str(FOLDER)])
        if not (module.ispkg or module.name.startswith("_") or module.name == "conftest")
    )
    # On a database server, all runs from this folder have one database.
    jobs = 1 if ENVIRONMENT.get("TEST_DATABASE") else min(options.jobs, len(names))
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(partial(passes, arguments=arguments, shows_progress=jobs == 1), names))
    failed = [name for name, passed in zip(names, results, strict=True) if not passed]
    print(f"\nProfiles: {len(names)}. Failed: {', '.join(failed) or 'none'}.", flush=True)
    return 1 if failed else 0


def passes(name: str, *, arguments: list[str], shows_progress: bool) -> bool:
    """Run the tests of one profile, print what pytest says, and return whether they passed."""
    if shows_progress:
        print(f"\n=== Profile {name}", flush=True)
    started_at = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *pytest_arguments(name), *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": f"tests.profiles.{name}"},
        check=False,
        text=True,
        stdout=None if shows_progress else subprocess.PIPE,
        stderr=None if shows_progress else subprocess.STDOUT,
    )
    passed = run.returncode == 0
    # One call, so that the output of two profiles does not mix.
    lines = (run.stdout or "").splitlines(keepends=True)
    result = "passed" if passed else f"FAILED (pytest ended with {run.returncode})"
    summary = f"=== Profile {name}: {result} in {time.monotonic() - started_at:.0f} s\n"
    print("".join(lines[-1:] if passed else lines) + summary, end="", flush=True)
    return passed


def pytest_arguments(name: str) -> list[str]:
    """Return the tests of the profile, and other arguments that it defines."""
    try:
        module = importlib.import_module(f"tests.profiles.{name}")
    except Exception:
        # pytest reads the same module, and reports the error.
        return tests_of(name)
    return getattr(module, "PROFILE_TESTS", None) or tests_of(name)


if __name__ == "__main__":
    sys.exit(main())

"""`AUTH_USER_MODEL` is fixed when Django starts, so another user model needs another process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_site_with_a_user_model_of_its_own() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "tests/custom_user/journeys.py"]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.custom_user.settings",
        "PYTEST_ADDOPTS": "--nomigrations",
    }
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr

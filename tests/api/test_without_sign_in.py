"""A site that is only an API has other apps installed, so it runs in another process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_site_with_api_alone_works() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "tests/api_alone/journeys.py"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.api_alone.settings"}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr

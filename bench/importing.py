"""Measure `logto_import` in its own process: `python -m bench.importing`, with the task as JSON on standard input."""

from __future__ import annotations

import json
import sys
import time

import django
from django.conf import settings as django_settings

from . import sites
from .sync import database, peak_mib

# No password has this hash. To compute real hashes would take longer than the import.
PASSWORD = "pbkdf2_sha256$1000$seasalt$" + "A" * 43 + "="


def main() -> None:
    task = json.load(sys.stdin)
    settings = sites.settings("logto_auth", **task["logto"])
    django_settings.configure(**{**settings, "DATABASES": {"default": database(task["database"])}, **task["machine"]})
    django.setup()
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    user_model = get_user_model()
    user_model.objects.bulk_create(
        user_model(username=f"customer{number}", email=f"customer{number}@example.com", password=PASSWORD)
        for number in range(task["accounts"])
    )
    before = time.perf_counter()
    call_command("logto_import", f"--concurrency={task['concurrency']}", stdout=sys.stderr)
    json.dump({"seconds": time.perf_counter() - before, "peak_mib": peak_mib()}, sys.stdout)


if __name__ == "__main__":
    main()

#!/usr/bin/env python
"""Run one of the bookstore's commands; `python manage.py demo` starts everything."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookstore.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(f"Django is not installed for {sys.executable}: run `pip install -r requirements.txt` first.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    if sys.version_info < (3, 10):  # noqa: UP036 - to say so is all that an older Python can do here
        sys.exit("The bookstore needs Python 3.10 or newer.")
    main()

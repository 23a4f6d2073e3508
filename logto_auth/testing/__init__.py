"""Helpers for a site's own tests: sign in through the emulator, over HTTP as in production.

In `conftest.py`: `pytest_plugins = ["logto_auth.testing.pytest_plugin"]`. Needs the extra `testing`.
"""

from .browser import Browser

__all__ = ["Browser"]

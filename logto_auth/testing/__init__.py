"""Helpers for a site's own tests: sign in through the emulator, over HTTP as in production.

In `conftest.py`: `pytest_plugins = ["logto_auth.testing.pytest_plugin"]`. Needs the extra `testing`.
"""

from logto_auth.users.current_request import use_request

from .browser import Browser
from .site import register_site

__all__ = ["Browser", "register_site", "use_request"]

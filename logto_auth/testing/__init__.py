"""For a site's own tests: sign in through the emulator, over the same wire as in production.

In `conftest.py`: `pytest_plugins = ["logto_auth.testing.pytest_plugin"]`. Needs the extra `testing`.
"""

from .browser import Browser

__all__ = ["Browser"]

"""A site with a user model of its own. Its tests run in a process of their own: `tests/test_custom_user.py`."""

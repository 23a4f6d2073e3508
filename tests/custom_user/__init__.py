"""A site with a user model of its own. `tests/test_custom_user.py` runs its tests in another process."""

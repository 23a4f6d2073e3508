"""A site with its own user model. `tests/profiles/custom_user.py` runs its tests."""

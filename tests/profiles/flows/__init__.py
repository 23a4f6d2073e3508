"""The tests that each profile runs."""

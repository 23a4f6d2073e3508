"""The tests of single profiles: `test_<name of the profile>.py`."""

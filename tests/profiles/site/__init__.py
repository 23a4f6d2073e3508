"""The small site that all profiles of `tests.profiles` share: settings, URLs and pages."""

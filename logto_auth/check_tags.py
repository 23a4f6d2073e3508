"""The tags of the system checks of this package, for `manage.py check --tag` and for the doctor."""

__all__ = ["CHECKS", "CREDENTIALS"]

CHECKS = "logto"
# The deployment check that is the error for a missing credential.
CREDENTIALS = "logto_credentials"

"""Passwords that Logto cannot import: Logto asks this site when a sign-in with a password has failed (decision 0055).

An app of its own, for `INSTALLED_APPS`: "logto_auth.password_migration". `LOGTO_TENANT` declares
`password_migration=True`, and the URLs include `logto_auth.password_migration.urls`.

`signature` verifies the calls, `limits` counts them, `views` answers them, and `accounts` says which passwords may
still move.
"""

from .values import Status

__all__ = ["Status", "find_moved", "status"]


def status() -> Status:
    """Return how many passwords have moved and how many are left, and whether Logto asks this site.

    It asks Logto for the script, once. `is_installed` is None if Logto cannot be asked.
    Raise ConfigurationError if `LOGTO_PASSWORD_MIGRATION_UNTIL` is no date.
    """
    # Django imports this package before it has models.
    from .report import status

    return status()


def find_moved() -> int:
    """Ask Logto which users have a password there by now, such as after "Forgot password"; return how many are new.

    One call for each hundred accounts that are left. Raise ConfigurationError, ManagementAPIError and ProviderError.
    """
    from .report import find_moved

    return find_moved()

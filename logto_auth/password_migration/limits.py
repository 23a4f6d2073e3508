"""How many calls count. All of it raises what the cache raises: a call that cannot be counted is refused."""

from __future__ import annotations

from logto_auth.conf import conf
from logto_auth.site_cache import count, forget

__all__ = ["count_attempt", "forget_attempts", "is_replayed"]

# Their kinds in the cache.
SIGNATURES, ATTEMPTS, TOTAL = "password-migration-call", "password-migration-user", "password-migration"
PERIOD_SECONDS = 900
MAX_ATTEMPTS = 10


def is_replayed(signature: str, *, period_seconds: int) -> bool:
    """Return whether a call with this signature came before, in the period in which its time is accepted."""
    return count(SIGNATURES, signature, period_seconds=period_seconds) > 1


def count_attempt(subject: str) -> bool:
    """Count an attempt, and return whether it is one too many: for this user, or for the site in this minute."""
    is_too_many = count(ATTEMPTS, subject, period_seconds=PERIOD_SECONDS) > MAX_ATTEMPTS
    return is_too_many or count(TOTAL, period_seconds=60) > conf.password_migration_per_minute


def forget_attempts(subject: str) -> None:
    """Forget the attempts of a user whose password was right."""
    forget(ATTEMPTS, subject)

"""Check a password, with the same work for every call (decision 0055)."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.views.decorators.debug import sensitive_variables

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.oidc.secrets import Secret
from logto_auth.signals import password_migrated
from logto_auth.site_cache import cached
from logto_auth.transactions import database

from .accounts import fits, mark_moved, movable_identity, samples

__all__ = ["has_sample", "verify"]

logger = logging.getLogger("logto_auth")

# For how long the keys of the sample accounts are remembered, and their kind in the cache. Never a hash.
SAMPLE_SECONDS, SAMPLES = 60, "password-migration-samples"


def has_sample() -> bool:
    """Return whether an account is left whose password may move."""
    return bool(_sample_keys())


@sensitive_variables()
def verify(sub: str | None, password: Secret) -> bool:
    """Return whether this is the password of the account of a user at Logto, and Logto may have it. Store a yes.

    One hash of each kind that is left is computed, and the same questions are asked, for known and unknown users alike.
    Raise ManagementAPIError, ProviderError and ConfigurationError if Logto cannot be asked.
    """
    may_have = sub is not None and _may_have_password(sub)
    identity = movable_identity(sub or "")
    own: str | None = None if identity is None else identity.user.password
    hashes = _hashes(own)
    # Each of them is computed, so no generator.
    results = {algorithm: _fits(password, encoded) for algorithm, encoded in hashes.items()}
    is_right = own is not None and results[_kind(own)]
    if identity is None or not may_have or not is_right:
        return False
    if mark_moved(identity, by_site=True):
        user = identity.user
        password_migrated.send_robust(sender=type(user), user=user, identity=identity)
    return True


def _may_have_password(sub: str) -> bool:
    """Return whether Logto has this user, not suspended, without a password, and without a role that makes staff.

    One call, and a second one if `LOGTO_STAFF_ROLES` or `LOGTO_SUPERUSER_ROLES` is set. A user who has set a password
    at Logto is marked, so that the account is not left any more.
    """
    api, staff_roles = management_api(max_tries=1), {*conf.staff_roles, *conf.superuser_roles}
    try:
        row = api.users.get(sub)
        becomes_staff = bool(staff_roles) and any(role["name"] in staff_roles for role in api.users.roles(sub))
    except ManagementAPIError as error:
        if not error.is_not_found:
            raise
        return False
    if row.get("hasPassword") is True and (identity := movable_identity(sub)) is not None:
        mark_moved(identity, by_site=False)
    return row.get("hasPassword") is False and row.get("isSuspended") is False and not becomes_staff


@sensitive_variables()
def _hashes(own: str | None) -> dict[str, str]:
    """Return a hash of each kind: the user's own, and for all other kinds that of a sample account."""
    accounts = get_user_model()._default_manager.using(database())
    encoded = accounts.filter(pk__in=_sample_keys()).order_by("pk").values_list("password", flat=True)
    hashes = {_kind(each): each for each in encoded}
    return hashes if own is None else {**hashes, _kind(own): own}


def _sample_keys() -> list[Any]:
    # An empty list counts, too: None is what the cache has for "unknown".
    return cached(SAMPLES, conf.issuer, samples, timeout_seconds=SAMPLE_SECONDS)


@sensitive_variables()
def _fits(password: Secret, encoded: str) -> bool:
    try:
        return fits(password.reveal(), encoded)
    except Exception as error:  # each hasher, also of the site, raises errors of its own
        logger.error("A password hash of the kind %.30s cannot be checked: %s", _kind(encoded), type(error).__name__)
        return False


def _kind(encoded: str) -> str:
    return encoded.partition("$")[0]

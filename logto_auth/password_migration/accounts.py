"""Which accounts have a password that may still move to Logto.

An account counts if `logto_import` has linked it, and its hash is of a kind that Logto does not take and Django can
check. Inactive accounts, staff and superusers never count: they use "Forgot password" at Logto.
"""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import get_hashers, identify_hasher
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from logto_auth.conf import Conf, conf
from logto_auth.exceptions import ConfigurationError, SignInRefused
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.sync.passwords import IMPORTED_ALGORITHMS
from logto_auth.transactions import database
from logto_auth.users.accepted import accepted_user
from logto_auth.users.rights import flag_columns, has_admin_rights

from .models import MovedPassword

__all__ = [
    "ends_on",
    "fits",
    "is_over",
    "left_accounts",
    "linked_accounts",
    "mark_moved",
    "movable_identity",
    "samples",
]

# A yes may be lost between this site and Logto. For so long, it may be repeated, if Logto still has no password.
REPEAT_SECONDS = 600


def ends_on() -> date | None:
    """Return the last day, or None if it is not set. Raise ConfigurationError for a text that is no date."""
    if not conf.password_migration_until:
        return None
    try:
        return date.fromisoformat(conf.password_migration_until)
    except ValueError as error:
        name = Conf.password_migration_until.name
        raise ConfigurationError(f"{name} is not a date, expected one such as 2027-03-31.") from error


def is_over() -> bool:
    """Return whether the last day has passed, or is not set. Raise ConfigurationError."""
    last_day = ends_on()
    today = timezone.localdate() if timezone.now().tzinfo else date.today()
    return last_day is None or today > last_day


def linked_accounts() -> QuerySet[Any]:
    """Return the accounts whose passwords move, whether they have moved or not."""
    user_model = get_user_model()
    columns = flag_columns(user_model)
    kinds = Q(pk__in=[])
    for algorithm in _algorithms():
        kinds |= Q(password__startswith=f"{algorithm}$")
    identities = LogtoIdentity.objects.filter(issuer=conf.issuer, user=OuterRef("pk"), status=UserStatus.ACTIVE.value)
    accounts: QuerySet[Any] = user_model._default_manager.using(database()).filter(kinds, Exists(identities))
    return accounts.filter(**{name: name == "is_active" for name in columns})  # type: ignore[no-any-return]


def left_accounts() -> QuerySet[Any]:
    """Return those of whose password this site does not know that it has moved."""
    moved = MovedPassword.objects.filter(identity__user=OuterRef("pk"), identity__issuer=conf.issuer)
    return linked_accounts().exclude(Exists(moved))  # type: ignore[no-any-return]


def samples() -> list[Any]:
    """Return the key of one account whose password may move for each kind of hash. Empty if there is none."""
    final = MovedPassword.objects.filter(identity__user=OuterRef("pk"), identity__issuer=conf.issuer)
    final = final.exclude(by_site=True, at__gt=time.time() - REPEAT_SECONDS)
    found = []
    for algorithm in _algorithms():
        rows = linked_accounts().exclude(Exists(final)).filter(password__startswith=f"{algorithm}$")
        found += list(rows.order_by("pk").values_list("pk", flat=True)[:1])
    return found


def movable_identity(sub: str) -> LogtoIdentity | None:
    """Return the identity of a user at Logto, with its account, if the password may move; otherwise None.

    The account is found by the id at Logto alone.
    """
    identity: LogtoIdentity | None = LogtoIdentity.objects.for_sub(conf.issuer, sub).first()
    if identity is None or identity.status != UserStatus.ACTIVE:
        return None
    try:
        identity.user = accepted_user(identity.user_id)  # type: ignore[assignment]
    except SignInRefused:
        return None
    user: Any = identity.user
    if has_admin_rights(user) or user.password.partition("$")[0] not in _algorithms():
        return None
    moved = MovedPassword.objects.filter(identity=identity).first()
    is_repeated = moved is not None and moved.by_site and moved.at > time.time() - REPEAT_SECONDS
    return identity if moved is None or is_repeated else None


def mark_moved(identity: LogtoIdentity, *, by_site: bool) -> bool:
    """Store that Logto has the password of a user; return whether this is new."""
    values = {"at": time.time(), "by_site": by_site}
    _, is_new = MovedPassword.objects.get_or_create(identity=identity, defaults=values)
    return bool(is_new)


def fits(password: str, encoded: str) -> bool:
    """Return whether a password has this hash. It computes one hash. Raise what the hasher raises."""
    return bool(identify_hasher(encoded).verify(password, encoded))


def _algorithms() -> list[str]:
    """Return the kinds of hashes that Django can check and Logto does not take."""
    known = dict.fromkeys(str(hasher.algorithm) for hasher in get_hashers())
    return [each for each in known if each not in IMPORTED_ALGORITHMS]

"""Write what was planned for a page of users, in bulk: a fixed number of statements, except for rare changes.

`pre_save` and `post_save` of the user model are sent, for sites that create a profile with each account. `m2m_changed`
is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import connections
from django.db.models.signals import post_save, pre_save

from logto_auth.memberships.claims import Membership
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.transactions import database, locked

from .plan import groups_table
from .planned_user import PlannedUser


def can_be_written_in_bulk(user_model: type[AbstractBaseUser]) -> bool:
    """Return whether an account is one row of one table and its model has no `save()` of its own."""
    return user_model.save is AbstractBaseUser.save and not user_model._meta.parents


def write(users: Sequence[PlannedUser]) -> None:
    """Write what was planned. Call it in a transaction. Raise what the database and the model raise."""
    known = [user for user in users if user.identity is not None]
    _create([user for user in users if user.identity is None])
    _update([user for user in known if user.values])
    _update_roles([user for user in known if user.roles is not None])
    _update_groups(users)
    _update_memberships(users)


# Accounts


def _create(new: Sequence[PlannedUser]) -> None:
    """Create accounts and identities, and set `identity` of the planned users."""
    if not new:
        return
    user_model = get_user_model()
    # One unusable password for all: making a random one takes long, and no user can sign in with it.
    password = make_password(None)
    accounts = [user_model(**{**user.values, "password": password}) for user in new]
    _send(pre_save, accounts, update_fields=None)
    user_model._base_manager.bulk_create(accounts)
    _set_keys(accounts, user_model.USERNAME_FIELD)
    _send(post_save, accounts, update_fields=None, created=True)
    identities = [
        LogtoIdentity(
            user=account, issuer=user.claims["iss"], sub=user.claims["sub"], digest=user.digest, roles=user.roles or []
        )
        for user, account in zip(new, accounts, strict=True)
    ]
    LogtoIdentity.objects.bulk_create(identities)
    _set_keys(identities, "digest")
    for user, identity in zip(new, identities, strict=True):
        user.identity = identity


def _set_keys(rows: Sequence[Any], unique_name: str) -> None:
    """Set the primary keys of new rows, if the database does not return them (MySQL)."""
    if all(row.pk is not None for row in rows):
        return
    values = [getattr(row, unique_name) for row in rows]
    found = type(rows[0])._base_manager.using(database()).filter(**{f"{unique_name}__in": values})
    keys = dict(found.values_list(unique_name, "pk"))
    for row, value in zip(rows, values, strict=True):
        row.pk = keys[value]


def _update(users: Sequence[PlannedUser]) -> None:
    """Write only the fields that change: another process may be changing other fields of the same account."""
    by_fields: defaultdict[frozenset[str], list[Any]] = defaultdict(list)
    for user in users:
        account = user.account
        for name, value in user.values.items():
            setattr(account, name, value)
        by_fields[frozenset(user.values)].append(account)
    for names, accounts in by_fields.items():
        _send(pre_save, accounts, update_fields=names)
        _overwrite(accounts, names)
        _send(post_save, accounts, update_fields=names, created=False)


def _overwrite(rows: Sequence[Any], names: Iterable[str]) -> None:
    """Write these fields of existing rows, in two statements: the one of `bulk_update` takes many times as long."""
    model = type(rows[0])
    # Locked, so that a row that is deleted meanwhile is not inserted again.
    existing = locked(model._base_manager.filter(pk__in=[row.pk for row in rows]))
    keys = set(existing.values_list("pk", flat=True))
    # Copies, because an insert sets auto_now_add fields of the objects.
    copies = [copy(row) for row in rows if row.pk in keys]
    has_target = connections[database()].features.supports_update_conflicts_with_target
    model._base_manager.bulk_create(
        copies, update_conflicts=True, update_fields=sorted(names), unique_fields=["pk"] if has_target else None
    )


def _send(signal: Any, accounts: Sequence[Any], **arguments: Any) -> None:
    for account in accounts:
        signal.send(sender=type(account), instance=account, raw=False, using=database(), **arguments)


def _update_roles(users: Sequence[PlannedUser]) -> None:
    identities = []
    for user in users:
        assert user.identity is not None
        user.identity.roles = user.roles
        identities.append(user.identity)
    if identities:
        _overwrite(identities, ["roles"])


# Groups


def _update_groups(users: Sequence[PlannedUser]) -> None:
    joined = frozenset[str]().union(*(user.groups.joined for user in users))
    if joined:
        _join_groups([user for user in users if user.groups.joined], joined)
    leaving: defaultdict[str, list[Any]] = defaultdict(list)
    for user in users:
        for name in user.groups.left:
            leaving[name].append(user.account.pk)
    for name, keys in leaving.items():
        through, user_key, group_key = groups_table(get_user_model())
        through._default_manager.filter(**{f"{group_key}__name": name, f"{user_key}__in": keys}).delete()


def _join_groups(users: Sequence[PlannedUser], names: frozenset[str]) -> None:
    existing = Group.objects.using(database()).filter(name__in=names).values_list("name", "pk")
    keys = dict(existing)
    if missing := sorted(names - keys.keys()):
        Group.objects.bulk_create([Group(name=name) for name in missing], ignore_conflicts=True)
        keys = dict(existing.all())
    through, user_key, group_key = groups_table(get_user_model())
    rows = [
        through(**{f"{user_key}_id": user.account.pk, f"{group_key}_id": keys[name]})
        for user in users
        for name in sorted(user.groups.joined)
    ]
    through._default_manager.bulk_create(rows, ignore_conflicts=True)


# Memberships


def _update_memberships(users: Sequence[PlannedUser]) -> None:
    left = [user.memberships[id].pk for user in users for id in user.organizations.left]
    if left:
        OrganizationMembership.objects.filter(pk__in=left).delete()
    changed = []
    for user in users:
        for id, roles in user.organizations.roles.items():
            user.memberships[id].roles = roles
            changed.append(user.memberships[id])
    if changed:
        _overwrite(changed, ["roles"])
    joined = [(user, each) for user in users for each in user.organizations.joined]
    if joined:
        _join_organizations(joined)


def _join_organizations(joined: Sequence[tuple[PlannedUser, Membership]]) -> None:
    # Rows were created when the members were listed. A row that the site has deleted since is not created again.
    ids = {each.id for _, each in joined}
    keys = dict(Organization.objects.for_logto_ids(ids).values_list("logto_id", "pk"))
    rows = [
        OrganizationMembership(organization_id=keys[each.id], identity=user.identity, roles=sorted(each.roles))
        for user, each in joined
        if each.id in keys
    ]
    OrganizationMembership.objects.bulk_create(rows, ignore_conflicts=True)

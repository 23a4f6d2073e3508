"""What was planned for a page of people, written in bulk: a fixed number of statements, but for what is rare.

Django's `pre_save` and `post_save` of the user model are sent all the same, for sites that make a profile with each
account. Its `m2m_changed` is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import connections, router
from django.db.models.signals import post_save, pre_save

from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership, make_digest
from logto_auth.organizations.memberships import Membership

from .person import Person
from .plan import groups_table


def can_be_written_in_bulk(user_model: type[AbstractBaseUser]) -> bool:
    """Whether saving an account is no more than a row in a table."""
    return user_model.save is AbstractBaseUser.save and not user_model._meta.parents


def write(people: Sequence[Person]) -> None:
    """Write what was planned. To be called in a transaction, for any of the database's errors may come of it."""
    known = [person for person in people if person.identity is not None]
    _create([person for person in people if person.identity is None])
    _update([person for person in known if person.values])
    _keep_roles([person for person in known if person.roles is not None])
    _keep_groups(people)
    _keep_memberships(people)


# Accounts


def _create(people: Sequence[Person]) -> None:
    """Make accounts and identities; the people have their identity then."""
    if not people:
        return
    user_model = get_user_model()
    # One for all of them: random texts take long to make, and this one opens nothing.
    password = make_password(None)
    users = [user_model(**{**person.values, "password": password}) for person in people]
    _send(pre_save, users, update_fields=None)
    user_model._base_manager.bulk_create(users)
    _find_keys(users, user_model.USERNAME_FIELD)
    _send(post_save, users, update_fields=None, created=True)
    identities = [
        LogtoIdentity(
            user=user,
            issuer=person.claims["iss"],
            sub=person.claims["sub"],
            digest=person.digest,
            roles=person.roles or [],
        )
        for person, user in zip(people, users, strict=True)
    ]
    LogtoIdentity.objects.bulk_create(identities)
    _find_keys(identities, "digest")
    for person, identity in zip(people, identities, strict=True):
        person.identity = identity


def _find_keys(rows: Sequence[Any], unique_name: str) -> None:
    """Give new rows their keys, where the database has not said them (MySQL)."""
    if all(row.pk is not None for row in rows):
        return
    values = [getattr(row, unique_name) for row in rows]
    found = type(rows[0])._base_manager.filter(**{f"{unique_name}__in": values}).values_list(unique_name, "pk")
    keys = dict(found)
    for row, value in zip(rows, values, strict=True):
        row.pk = keys[value]


def _update(people: Sequence[Person]) -> None:
    """Write what changes and nothing else: somebody may be changing another field of the same account."""
    by_fields: defaultdict[frozenset[str], list[Any]] = defaultdict(list)
    for person in people:
        user = person.account
        for name, value in person.values.items():
            setattr(user, name, value)
        by_fields[frozenset(person.values)].append(user)
    for names, users in by_fields.items():
        _send(pre_save, users, update_fields=names)
        _overwrite(users, names)
        _send(post_save, users, update_fields=names, created=False)


def _overwrite(rows: Sequence[Any], names: Iterable[str]) -> None:
    """Write these fields of rows that exist: two statements, where `bulk_update` takes many times as long over one."""
    model = type(rows[0])
    # Locked, so that what somebody deletes meanwhile does not come back.
    there = model._base_manager.filter(pk__in=[row.pk for row in rows]).select_for_update()
    keys = set(there.values_list("pk", flat=True))
    # Copies, for what is inserted has its auto_now_add fields set.
    copies = [copy(row) for row in rows if row.pk in keys]
    has_target = connections[router.db_for_write(model)].features.supports_update_conflicts_with_target
    model._base_manager.bulk_create(
        copies, update_conflicts=True, update_fields=sorted(names), unique_fields=["pk"] if has_target else None
    )


def _send(signal: Any, users: Sequence[Any], **arguments: Any) -> None:
    using = router.db_for_write(type(users[0]))
    for user in users:
        signal.send(sender=type(user), instance=user, raw=False, using=using, **arguments)


def _keep_roles(people: Sequence[Person]) -> None:
    identities = []
    for person in people:
        assert person.identity is not None
        person.identity.roles = person.roles
        identities.append(person.identity)
    if identities:
        _overwrite(identities, ["roles"])


# Groups


def _keep_groups(people: Sequence[Person]) -> None:
    gained = frozenset[str]().union(*(person.groups_gained for person in people))
    if gained:
        _join_groups([person for person in people if person.groups_gained], gained)
    losses: defaultdict[str, list[Any]] = defaultdict(list)
    for person in people:
        for name in person.groups_lost:
            losses[name].append(person.account.pk)
    for name, keys in losses.items():
        through, user_key, group_key = groups_table(get_user_model())
        through._default_manager.filter(**{f"{group_key}__name": name, f"{user_key}__in": keys}).delete()


def _join_groups(people: Sequence[Person], names: frozenset[str]) -> None:
    there = Group.objects.filter(name__in=names).values_list("name", "pk")
    keys = dict(there)
    if missing := sorted(names - keys.keys()):
        Group.objects.bulk_create([Group(name=name) for name in missing], ignore_conflicts=True)
        keys = dict(there.all())
    through, user_key, group_key = groups_table(get_user_model())
    rows = [
        through(**{f"{user_key}_id": person.account.pk, f"{group_key}_id": keys[name]})
        for person in people
        for name in sorted(person.groups_gained)
    ]
    through._default_manager.bulk_create(rows, ignore_conflicts=True)


# Memberships


def _keep_memberships(people: Sequence[Person]) -> None:
    left = [row.pk for person in people for row in person.left]
    if left:
        OrganizationMembership.objects.filter(pk__in=left).delete()
    changed = [(row, roles) for person in people for row, roles in person.roles_changed]
    for row, roles in changed:
        row.roles = roles
    if changed:
        _overwrite([row for row, _ in changed], ["roles"])
    joined = [(person, each) for person in people for each in person.joined]
    if joined:
        _join(joined)


def _join(joined: Sequence[tuple[Person, Membership]]) -> None:
    issuer = joined[0][0].claims["iss"]
    ids = {make_digest(issuer, each.id): each.id for _, each in joined}
    # Rows were made when the members were listed; where one has been deleted since, that is a site's own doing.
    keys = dict(Organization.objects.filter(digest__in=ids).values_list("logto_id", "pk"))
    rows = [
        OrganizationMembership(organization_id=keys[each.id], identity=person.identity, roles=sorted(each.roles))
        for person, each in joined
        if each.id in keys
    ]
    OrganizationMembership.objects.bulk_create(rows, ignore_conflicts=True)

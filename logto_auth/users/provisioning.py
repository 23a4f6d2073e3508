"""Find, create and update the Django user of verified claims. Transactions and signals are here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.db import IntegrityError, models
from django.dispatch import Signal

from logto_auth.compiled_query import CompiledQuery
from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.memberships.claims import NO_MEMBERSHIP_CHANGES, MembershipChanges
from logto_auth.memberships.rows import membership_claims, save_memberships
from logto_auth.models import LogtoIdentity, make_digest
from logto_auth.oidc.types import Claims
from logto_auth.signals import (
    identity_linked,
    memberships_changed,
    rights_changed,
    user_created,
    user_reactivated,
    user_updated,
)
from logto_auth.storable import VALUE_ERRORS, is_refused_value, write_storable
from logto_auth.transactions import atomic, database

from .accepted import may_be_joined
from .fields import changed_values, faulty_fields, field_values, missing_fields, values_for
from .linking import find_user_to_link, log_shared_email
from .rights import (
    NO_GROUP_CHANGES,
    GroupChanges,
    Rights,
    RightsChanges,
    changed_roles,
    flags_of,
    group_changes,
    rights_of,
)
from .suspension import refuse_inactive
from .unique_values import candidates_for_existing, candidates_for_new, settle

# How often to start over when another sign-in takes a name between our look-up and our insert.
MAX_TRIES = 5
ROLES_SCOPE = "roles"
ORGANIZATIONS_SCOPE = "urn:logto:scope:organizations"


def provision(claims: Claims) -> tuple[LogtoIdentity, bool]:
    """Return the identity of the user in `claims`, with its Django user, and whether the account is new.

    A known user is updated from the claims. An unknown user is linked or created as the settings say. Raise
    SignInRefused if the site refuses the user or the account is inactive.
    """
    identity, created = _find_accepted(claims["iss"], claims["sub"]), False
    if identity is None:
        identity, created = provision_unknown(claims, may_create=conf.create_users)
        has_changed = True
    else:
        has_changed = bool(update(identity, claims))
    if has_changed:
        # A receiver of `user_created` or `user_updated` may have deactivated the account.
        refuse_inactive(identity)
    return identity, created


def provision_api_user(issuer: str, sub: str) -> LogtoIdentity:
    """Return the identity of the user of an access token, with its Django user.

    An access token has no claims about its user, so nothing is updated. Raise SignInRefused for inactive users, and
    for unknown users unless `LOGTO_API_CREATE_USERS` is set.
    """
    identity = _find_accepted(issuer, sub)
    if identity is None:
        identity, _created = provision_unknown({"iss": issuer, "sub": sub}, may_create=conf.api_create_users)
        refuse_inactive(identity)
    return identity


def provision_unknown(claims: Claims, *, may_create: bool) -> tuple[LogtoIdentity, bool]:
    """Return the identity of a user who had none, with its Django user, and whether the account is new.

    Raise SignInRefused.
    """
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            with atomic():
                identity, created, is_released = _link_or_create(claims, may_create=may_create)
        except IntegrityError as error:
            # Another request has created the same user, or an account with the same unique value.
            known = find_identity(claims["iss"], claims["sub"])
            if known is not None:
                return known, False
            if not tries_left:
                raise _cannot_store(error) from error
        except VALUE_ERRORS as error:
            if not is_refused_value(error):
                raise
            raise _cannot_store(error) from error
        else:
            break
    if created:
        _store_roles(identity, rights_of(claims))
        save_memberships(identity, claims)
        log_shared_email(identity.user, claims)
        user_created.send_robust(sender=type(identity.user), user=identity.user, claims=claims)
    else:
        user = identity.user
        if is_released:
            user_reactivated.send_robust(sender=type(user), user=user, identity=identity)
        identity_linked.send_robust(sender=type(user), user=user, identity=identity)
        update(identity, claims)
    return identity, created


def find_identity(issuer: str, sub: str) -> LogtoIdentity | None:
    """Return the identity `(issuer, sub)` with its Django user; None if it is unknown. One query."""
    identity: LogtoIdentity | None = LogtoIdentity.objects.for_sub(issuer, sub).select_related("user").first()
    return identity


def _find_accepted(issuer: str, sub: str) -> LogtoIdentity | None:
    """Return the identity with its Django user; None if it is unknown. Raise SignInRefused if the user is not accepted.

    Every API call needs this. One query; two if the account must be requested from the site's backend.
    """
    digest = make_digest(issuer, sub)
    identity: LogtoIdentity | None
    if may_be_joined():
        identity = _identity_with_user().instance(digest)
        joined = None if identity is None else identity.user
    else:
        identity, joined = _identity_by_digest.instance(digest), None
    if identity is not None:
        refuse_inactive(identity, joined=joined)
    return identity


_identity_by_digest = CompiledQuery(LogtoIdentity, "digest")


@cache
def _identity_with_user() -> CompiledQuery:
    return CompiledQuery(LogtoIdentity, "digest", related="user")


def _link_or_create(claims: Claims, *, may_create: bool) -> tuple[LogtoIdentity, bool, bool]:
    """Return the identity, whether its account is new, and whether linking has reactivated the account."""
    user, is_released = find_user_to_link(claims)
    created = user is None
    if user is None:
        if not may_create:
            raise SignInRefused("This user has no account here, and none is created.", code="account_unknown")
        user = _create_user(claims)
    identity = LogtoIdentity.objects.create(user=user, issuer=claims["iss"], sub=claims["sub"])
    return identity, created, is_released


def _create_user(claims: Claims) -> AbstractBaseUser:
    user_model = get_user_model()
    rights = rights_of(claims)
    values = values_for(user_model, claims, rights)
    user = user_model()

    def insert(values: dict[str, Any]) -> AbstractBaseUser:
        nonlocal user
        with atomic():
            settle(values, candidates_for_new(user_model, values, claims["sub"]), _is_taken, is_new=True)
            user = user_model(**values)
            user.set_unusable_password()
            user.save(force_insert=True)
            return user

    try:
        write_storable(values, insert)
    except (IntegrityError, *VALUE_ERRORS) as error:
        # An account with the same name may have been created meanwhile: the caller tries again.
        names = missing_fields(user) if isinstance(error, IntegrityError) else faulty_fields(user)
        if not names or not is_refused_value(error):
            raise
        raise _cannot_store(error, names) from error
    _store_groups(user, rights)
    return user


def _is_taken(field: models.Field[Any, Any], value: str, *, besides: Any = None) -> bool:
    # The base manager: a name stays taken while the default manager hides its user.
    others = field.model._base_manager.using(database()).exclude(pk=besides)
    return bool(others.filter(**{f"{field.name}__iexact": value}).exists())


def _cannot_store(error: Exception, names: Sequence[str] = ()) -> SignInRefused:
    fields = f" Fields without a valid value: {', '.join(names)}." if names else ""
    return SignInRefused(
        f"The account could not be stored ({type(error).__name__}).{fields} If the user model has required fields of "
        "its own, the function of LOGTO_USER_FIELDS must return values for them.",
        code="account_incomplete",
    )


# Updating


def update(identity: LogtoIdentity, claims: Claims) -> frozenset[str]:
    """Update a known user from the claims, and return the names of what changed.

    Only values that differ are written. The username never changes. Raise SignInRefused.
    """
    user: AbstractBaseUser = identity.user
    rights = rights_of(claims)
    changes, former_flags, former_roles = RightsChanges(), flags_of(user), identity.roles
    names = set(_write_fields(user, values_for(type(user), claims, rights)))
    changes.add_flags(former_flags, {name: getattr(user, name) for name in names & former_flags.keys()})
    changes.add_groups(_store_groups(user, rights))
    if _store_roles(identity, rights):
        changes.add("roles", former_roles, identity.roles)
    memberships = save_memberships(identity, claims)
    names |= changes.current.keys() | ({"organizations"} if memberships else set())
    if names:
        user_updated.send_robust(sender=type(user), user=user, claims=claims, changed=frozenset(names))
        send_changes(identity, changes, memberships)
    return frozenset(names)


def send_changes(identity: LogtoIdentity, rights: RightsChanges, memberships: MembershipChanges) -> None:
    """Send the signals for changed rights and memberships."""
    if rights:
        _send_change(rights_changed, identity, rights.former, rights.current)
    if memberships:
        _send_change(memberships_changed, identity, memberships.former, memberships.current)


def _send_change(
    signal: Signal, identity: LogtoIdentity, former: Mapping[str, Any], current: Mapping[str, Any]
) -> None:
    user = identity.user
    signal.send_robust(sender=type(user), user=user, identity=identity, former=former, current=current)


def update_fields(identity: LogtoIdentity, reported: Claims, *, is_all: bool) -> None:
    """Update the fields of a known user from claims that a webhook reported.

    Webhooks report no roles and no organizations. So rights and memberships stay as they are, and the function of
    `LOGTO_USER_FIELDS` gets those that are stored. If `is_all` is False, `reported` has only a part of the claims. A
    field is then written only if this part changes its value, because the function may have a default for claims that
    are missing. Raise SignInRefused.
    """
    user: AbstractBaseUser = identity.user
    stored = _stored_claims(identity)
    claims = {**stored, **reported}
    fields = field_values(type(user), claims)
    if not is_all:
        without = field_values(type(user), stored)
        fields = {name: value for name, value in fields.items() if name not in without or without[name] != value}
    changes, former_flags = RightsChanges(), flags_of(user)
    names = _write_fields(user, fields)
    changes.add_flags(former_flags, {name: getattr(user, name) for name in names & former_flags.keys()})
    if names:
        user_updated.send_robust(sender=type(user), user=user, claims=claims, changed=names)
        send_changes(identity, changes, NO_MEMBERSHIP_CHANGES)


def _stored_claims(identity: LogtoIdentity) -> dict[str, Any]:
    claims: dict[str, Any] = {"iss": identity.issuer, "sub": identity.sub}
    if ROLES_SCOPE in conf.scopes:
        claims["roles"] = identity.roles
    if ORGANIZATIONS_SCOPE in conf.scopes:
        claims |= membership_claims(identity)
    return claims


def _write_fields(user: AbstractBaseUser, fields: Mapping[str, Any]) -> frozenset[str]:
    """Store the fields that differ, and return their names."""
    changed = changed_values(user, fields)
    settle(changed, candidates_for_existing(type(user), changed), partial(_is_taken, besides=user.pk), is_new=False)
    return _save_changes(user, changed) if changed else frozenset()


def _save_changes(user: AbstractBaseUser, changed: Mapping[str, Any]) -> frozenset[str]:
    """Store what the database accepts of `changed`, and return the names of the fields that changed."""
    former = {name: getattr(user, name) for name in changed}

    def save(values: Mapping[str, Any]) -> frozenset[str]:
        _set_fields(user, {**former, **values})
        names = [name for name, value in values.items() if value != former[name]]
        if names:
            with atomic():
                user.save(update_fields=names)
        return frozenset(names)

    try:
        return write_storable(changed, save)
    except (IntegrityError, *VALUE_ERRORS) as error:
        names = faulty_fields(user)
        _set_fields(user, former)
        if not is_refused_value(error):
            raise
        raise _cannot_store(error, names) from error


def _set_fields(user: AbstractBaseUser, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(user, name, value)


def _store_groups(user: AbstractBaseUser, rights: Rights | None) -> GroupChanges:
    """Add the user to the groups of their roles, remove them from other owned groups; return what changed."""
    groups = getattr(user, "groups", None)
    if rights is None or groups is None or not rights.owned_groups:
        return NO_GROUP_CHANGES
    held = groups.using(database()).filter(name__in=rights.owned_groups).values_list("name", flat=True)
    changes = group_changes(rights, held)
    if changes.joined:
        groups.add(*[Group.objects.get_or_create(name=name)[0] for name in sorted(changes.joined)])
    if changes.left:
        groups.remove(*Group.objects.using(database()).filter(name__in=changes.left))
    return changes


def _store_roles(identity: LogtoIdentity, rights: Rights | None) -> bool:
    """Store the roles, which access tokens do not carry; return whether they changed."""
    roles = changed_roles(rights, identity.roles)
    if roles is None:
        return False
    identity.roles = roles
    LogtoIdentity.objects.filter(pk=identity.pk).update(roles=roles)
    return True

"""From verified claims to a row in the user table: find, link, create, update. Transactions and signals live here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, UserStatus, make_digest
from logto_auth.oidc.claims import text
from logto_auth.oidc.types import Claims
from logto_auth.organizations.memberships import has_organization_roles, memberships_in
from logto_auth.organizations.rows import membership_claims, save_memberships
from logto_auth.signals import user_created, user_updated

from .claims import Rights, role_names
from .fields import (
    candidate_values,
    changed_values,
    field_values,
    first_available,
    rights_of,
    unique_text_fields,
    values_for,
)
from .suspension import reactivate_on_sign_in

# How often to start over when another sign-in takes a name between our look and our insert.
MAX_TRIES = 5
ROLES_SCOPE = "roles"
ORGANIZATIONS_SCOPE = "urn:logto:scope:organizations"


def provision(claims: Claims) -> tuple[LogtoIdentity, bool]:
    """The identity, with its user, of the person in `claims`, and whether the account is new.

    Known people are updated from the claims; unknown ones are linked or created as the settings say. Raises
    SignInRefused when the site does not want them, and when the account is disabled.
    """
    identity = find_identity(claims["iss"], claims["sub"])
    if identity is not None:
        reactivate_on_sign_in(identity, claims)
        refuse_inactive(identity)
        update(identity, claims)
        return identity, False
    return provision_unknown(claims, may_create=conf.create_users)


def provision_api_user(issuer: str, sub: str) -> LogtoIdentity:
    """The identity, with its user, of the person whose access token this is. One query for known people.

    An access token says nothing about its person, so nothing is updated. Raises SignInRefused for disabled people, and
    for unknown ones unless `LOGTO_API_CREATE_USERS`.
    """
    identity = find_identity(issuer, sub)
    if identity is not None:
        refuse_inactive(identity)
        return identity
    return provision_unknown({"iss": issuer, "sub": sub}, may_create=conf.api_create_users)[0]


def provision_unknown(claims: Claims, *, may_create: bool) -> tuple[LogtoIdentity, bool]:
    """The identity, with its user, of somebody who had none, and whether the account is new. Raises SignInRefused."""
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            with transaction.atomic():
                identity, created = _link_or_create(claims, may_create=may_create)
        except IntegrityError as error:
            # Another request was first: with this very person, or with a name that we were about to take.
            known = find_identity(claims["iss"], claims["sub"])
            if known is not None:
                refuse_inactive(known)
                return known, False
            if not tries_left:
                raise _cannot_store(error) from error
        except (DataError, ValidationError, TypeError, ValueError) as error:
            raise _cannot_store(error) from error
        else:
            break
    if created:
        _keep_roles_and_memberships(identity, claims)
        user_created.send_robust(sender=type(identity.user), user=identity.user, claims=claims)
    else:
        update(identity, claims)
    return identity, created


def find_identity(issuer: str, sub: str) -> LogtoIdentity | None:
    """The identity `(issuer, sub)` with its user, None when unknown. One query."""
    try:
        # Every API call comes by here, and `first()` takes half as long again.
        identity: LogtoIdentity = LogtoIdentity.objects.select_related("user").get(digest=make_digest(issuer, sub))
    except LogtoIdentity.DoesNotExist:
        return None
    return identity


def refuse_inactive(identity: LogtoIdentity) -> None:
    """Raise SignInRefused when the person is shut out at Logto, as a webhook said, or disabled on this site."""
    if identity.status != UserStatus.ACTIVE:
        raise SignInRefused(f"The person {identity.sub} is {identity.status} at Logto.", code="account_disabled")
    _refuse_inactive_account(identity.user)


def _refuse_inactive_account(user: AbstractBaseUser) -> None:
    if not user.is_active:
        raise SignInRefused(f"The account {user.pk} is disabled on this site.", code="account_disabled")


def _cannot_store(error: Exception) -> SignInRefused:
    return SignInRefused(
        f"The account could not be stored ({type(error).__name__}). If the user model has required fields of its own, "
        "let the function of LOGTO_USER_FIELDS give them values.",
        code="account_incomplete",
    )


def _link_or_create(claims: Claims, *, may_create: bool) -> tuple[LogtoIdentity, bool]:
    user = _user_to_link(claims)
    created = user is None
    if user is None:
        if not may_create:
            raise SignInRefused("No account here belongs to this person, and none is made.", code="account_unknown")
        user = _create_user(claims)
    return LogtoIdentity.objects.create(user=user, issuer=claims["iss"], sub=claims["sub"]), created


# Linking


def _user_to_link(claims: Claims) -> AbstractBaseUser | None:
    """The one local account that may be taken for this person's by e-mail; None is the usual answer.

    The address must be vouched for by the site (Logto's `email_verified` only says that there is one), be plain ASCII
    so that no look-alike matches, and belong to one account, which is no staff and has no identity at this issuer.
    """
    email = text(claims, "email")
    if not (conf.link_by_email and email and email.isascii() and claims.get("email_verified") is True):
        return None
    is_trustworthy: Callable[[Claims], bool] = import_string(conf.link_by_email)
    if is_trustworthy(claims) is not True:
        return None
    user_model = get_user_model()
    email_field = user_model.get_email_field_name()
    found = user_model._default_manager.select_for_update().filter(**{f"{email_field}__iexact": email})[:10]
    # Collations call more things equal than we do, and Python a Kelvin sign in lower case a "k".
    addresses = [(user, getattr(user, email_field)) for user in found]
    users = [user for user, address in addresses if address.isascii() and address.lower() == email.lower()]
    if len(users) != 1:
        return None
    return _linkable(users[0], claims["iss"])


def _linkable(user: AbstractBaseUser, issuer: str) -> AbstractBaseUser | None:
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return None
    # Making a second account would let a disabled person back in.
    _refuse_inactive_account(user)
    if LogtoIdentity.objects.filter(user=user, issuer=issuer).exists():
        return None
    # Whoever registered this address here first may not be the one who has just proved to own it.
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return user


# Creating


def _create_user(claims: Claims) -> AbstractBaseUser:
    user_model = get_user_model()
    rights = rights_of(claims)
    values = values_for(user_model, claims, rights)
    for field, wanted in candidate_values(user_model, values, claims["sub"]).items():
        values[field.name] = first_available(wanted, partial(_is_taken, field))
    user = user_model(**values)
    user.set_unusable_password()
    user.save(force_insert=True)
    _apply_groups(user, rights)
    return user


def _is_taken(field: models.Field[Any, Any], value: str, *, besides: Any = None) -> bool:
    others = field.model._default_manager.exclude(pk=besides)
    return bool(others.filter(**{f"{field.name}__iexact": value}).exists())


# Updating


def update(identity: LogtoIdentity, claims: Claims) -> frozenset[str]:
    """Bring a known person up to date; returns what was changed. Writes only what differs; the username stays as it was
    given."""
    user: AbstractBaseUser = identity.user
    names = _update_user(user, claims) | _keep_roles_and_memberships(identity, claims)
    if names:
        user_updated.send_robust(sender=type(user), user=user, claims=claims, changed=names)
    return names


def update_fields(identity: LogtoIdentity, news: Claims, *, is_all: bool) -> None:
    """Bring the fields of a known person up to date outside of a sign-in: Logto says nothing of roles and organizations
    then, so rights and memberships stay, and the function of `LOGTO_USER_FIELDS` is told those that are known.

    When `news` is not all of a user's claims, a field is written only if they make it another one: the function may
    have a default for what it misses. Raises SignInRefused.
    """
    user: AbstractBaseUser = identity.user
    known = _known_claims(identity)
    claims = {**known, **news}
    fields = field_values(type(user), claims)
    if not is_all:
        without = field_values(type(user), known)
        fields = {name: value for name, value in fields.items() if name not in without or without[name] != value}
    names = _write_fields(user, fields)
    if names:
        user_updated.send_robust(sender=type(user), user=user, claims=claims, changed=names)


def _known_claims(identity: LogtoIdentity) -> dict[str, Any]:
    claims: dict[str, Any] = {"iss": identity.issuer, "sub": identity.sub}
    if ROLES_SCOPE in conf.scopes:
        claims["roles"] = identity.roles
    if ORGANIZATIONS_SCOPE in conf.scopes:
        claims |= membership_claims(identity)
    return claims


def _update_user(user: AbstractBaseUser, claims: Claims) -> frozenset[str]:
    """The names of what was changed, "groups" among them."""
    rights = rights_of(claims)
    changed = _write_fields(user, values_for(type(user), claims, rights))
    return changed | ({"groups"} if _apply_groups(user, rights) else frozenset())


def _write_fields(user: AbstractBaseUser, fields: Mapping[str, Any]) -> frozenset[str]:
    """Store what differs, but no username; returns the names of what did."""
    changed = changed_values(user, fields)
    for field in list(unique_text_fields(type(user), changed)):
        if changed[field.name] and _is_taken(field, changed[field.name], besides=user.pk):
            del changed[field.name]
    if changed:
        _save_changes(user, changed)
    return frozenset(changed)


def _save_changes(user: AbstractBaseUser, changed: Mapping[str, Any]) -> None:
    for name, value in changed.items():
        setattr(user, name, value)
    try:
        with transaction.atomic():
            user.save(update_fields=list(changed))
    except (IntegrityError, DataError, TypeError, ValueError) as error:
        raise _cannot_store(error) from error


def _keep_roles_and_memberships(identity: LogtoIdentity, claims: Claims) -> frozenset[str]:
    """What APIs ask about a person whose access token does not say it; the names of what was changed."""
    changed = set()
    roles = role_names(claims)
    if roles is not None and identity.roles != sorted(roles):
        identity.roles = sorted(roles)
        LogtoIdentity.objects.filter(pk=identity.pk).update(roles=identity.roles)
        changed.add("roles")
    memberships = memberships_in(claims)
    with_roles = has_organization_roles(claims)
    if memberships is not None and save_memberships(identity, memberships, with_roles=with_roles):
        changed.add("organizations")
    return frozenset(changed)


# Rights


def _apply_groups(user: AbstractBaseUser, rights: Rights | None) -> bool:
    """Put the user into the groups of their roles and out of the other owned ones; returns whether that changed any."""
    groups = getattr(user, "groups", None)
    if rights is None or groups is None or not rights.owned_groups:
        return False
    held = set(groups.filter(name__in=rights.owned_groups).values_list("name", flat=True))
    gained, lost = rights.groups - held, held - rights.groups
    if gained:
        groups.add(*[Group.objects.get_or_create(name=name)[0] for name in sorted(gained)])
    if lost:
        groups.remove(*Group.objects.filter(name__in=lost))
    return bool(gained or lost)

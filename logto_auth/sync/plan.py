"""What Logto's data means for a page of users, by the rules of a sign-in (decision 0017).

`plan` only reads: a fixed number of queries for all users. The rules are functions of `users` and `organizations`; this
module reads the data of many users at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.management_api import ManagementAPI
from logto_auth.memberships.claims import membership_changes
from logto_auth.models import (
    LogtoIdentity,
    Organization,
    OrganizationMembership,
    SyncRun,
    UserStatus,
    make_digest,
)
from logto_auth.transactions import database
from logto_auth.users.fields import changed_values, values_for
from logto_auth.users.management_api import claims_of
from logto_auth.users.provisioning import ORGANIZATIONS_SCOPE, ROLES_SCOPE
from logto_auth.users.rights import changed_roles, flags_of, group_changes, rights_of

from . import report as outcomes
from .notes import UserNotes, confirm_removals, listed_names, notes_by_digest
from .planned_user import PlannedUser
from .report import Report
from .taken_values import find_possible_links, settle_unique_values

if TYPE_CHECKING:
    from logto_auth.management_api.types import User

ORGANIZATION_ROLES_SCOPE = "urn:logto:scope:organization_roles"


def plan(run: SyncRun, payloads: Iterable[User], api: ManagementAPI, report: Report) -> list[PlannedUser]:
    """Return what to change for these users, in the order of their digests.

    All processes use this order, so that they do not deadlock.
    """
    by_digest = {make_digest(run.issuer, payload["id"]): payload for payload in payloads}
    identities = LogtoIdentity.objects.select_related("user").in_bulk(by_digest, field_name="digest")
    users = [
        PlannedUser(digest=digest, payload=payload, identity=identities.get(digest), is_new=digest not in identities)
        for digest, payload in sorted(by_digest.items())
        if _is_covered(run, payload, identities.get(digest), report)
    ]
    _load_memberships(users)
    notes, listed = notes_by_digest(run, by_digest), listed_names(run)
    for user in users:
        user_notes = notes.get(user.digest) or UserNotes()
        if user.identity is not None:
            confirm_removals(user.identity, user.memberships, user_notes, listed, api)
        user.claims = _claims(run, user.payload, user_notes)
    _add_organization_names(users)
    user_model = get_user_model()
    for user in users:
        _plan_status(user)
        _plan_values(user_model, user, report)
    accepted = [user for user in users if not user.is_refused]
    settle_unique_values(accepted, report)
    find_possible_links(accepted)
    _plan_groups(accepted)
    if ORGANIZATIONS_SCOPE in conf.scopes:
        for user in accepted:
            stored = {id: row.roles for id, row in user.memberships.items()}
            user.organizations = membership_changes(user.claims, stored)
    return users


def _is_covered(run: SyncRun, payload: User, identity: LogtoIdentity | None, report: Report) -> bool:
    if identity is None:
        # A suspended user cannot sign in. A run after the suspension creates the account.
        if run.creates_users and not payload["isSuspended"]:
            return True
        report.add(outcomes.UNKNOWN)
        names = [payload.get(name) for name in ("username", "primaryEmail", "primaryPhone")]
        name = next(filter(None, names), "no name")
        reason = "suspended at Logto, so no account is created" if payload["isSuspended"] else "no account here"
        report.detail(f"{payload['id']} ({name}): {reason}")
        return False
    # A sign-in after the start of the run brought newer data than the lists have.
    return identity.created_at < run.started_at and identity.status != UserStatus.DELETED


# Claims


def _claims(run: SyncRun, payload: User, notes: UserNotes) -> dict[str, Any]:
    """Return the claims that a sign-in at this moment would bring."""
    scopes = conf.scopes
    claims = claims_of(payload, run.issuer, scopes)
    if ROLES_SCOPE in scopes:
        claims["roles"] = sorted(notes.roles)
    if ORGANIZATIONS_SCOPE in scopes:
        claims["organizations"] = sorted(notes.organizations)
    if ORGANIZATION_ROLES_SCOPE in scopes:
        claims["organization_roles"] = [
            f"{id}:{role}" for id, roles in sorted(notes.organizations.items()) for role in sorted(roles)
        ]
    return claims


def _add_organization_names(users: Sequence[PlannedUser]) -> None:
    """Add the claim with the names of organizations, if a sign-in brings it; one query in that case."""
    if ORGANIZATIONS_SCOPE not in conf.scopes or "organization_data" not in conf.userinfo_claims:
        return
    ids = {id for user in users for id in user.claims["organizations"]}
    names = dict(Organization.objects.for_logto_ids(ids).values_list("logto_id", "name"))
    for user in users:
        user.claims["organization_data"] = [
            {"id": id, "name": names.get(id), "description": None} for id in user.claims["organizations"]
        ]


# The account


def _plan_status(user: PlannedUser) -> None:
    is_suspended = user.payload["isSuspended"]
    if user.identity is not None and is_suspended != (user.identity.status == UserStatus.SUSPENDED):
        user.status = UserStatus.SUSPENDED if is_suspended else UserStatus.ACTIVE


def _plan_values(user_model: type[AbstractBaseUser], user: PlannedUser, report: Report) -> None:
    identity = user.identity
    user.rights = rights_of(user.claims)
    try:
        values = values_for(user_model, user.claims, user.rights)
    except SignInRefused as error:
        report.conflict(outcomes.REFUSED, f"{user.payload['id']}: refused by LOGTO_USER_FIELDS: {error} ({error.code})")
        user.is_refused = True
        return
    user.values = values if identity is None else changed_values(identity.user, values)
    if identity is not None:
        user.former_flags, user.former_roles = flags_of(identity.user), identity.roles
    user.roles = changed_roles(user.rights, identity.roles if identity is not None else ())


# Groups


def _plan_groups(users: Sequence[PlannedUser]) -> None:
    """Plan who joins and leaves which group. One query, if roles control any group."""
    owned = frozenset(conf.groups_by_role.values())
    if not owned or not has_groups(get_user_model()):
        return
    held: defaultdict[Any, set[str]] = defaultdict(set)
    through, user_key, group_key = groups_table(get_user_model())
    keys = [user.identity.user_id for user in users if user.identity is not None]
    rows = through._default_manager.using(database()).filter(
        **{f"{user_key}__in": keys, f"{group_key}__name__in": owned}
    )
    for key, name in rows.values_list(user_key, f"{group_key}__name"):
        held[key].add(name)
    for user in users:
        user.groups = group_changes(user.rights, held[user.identity.user_id] if user.identity is not None else ())


def has_groups(user_model: type[AbstractBaseUser]) -> bool:
    """Return whether the user model has Django's groups."""
    try:
        return bool(user_model._meta.get_field("groups").many_to_many)
    except FieldDoesNotExist:
        return False


def groups_table(user_model: Any) -> tuple[type[models.Model], str, str]:
    """Return the model of the table between users and groups, and the names of its two foreign keys."""
    groups = user_model._meta.get_field("groups")
    return groups.remote_field.through, groups.m2m_field_name(), groups.m2m_reverse_field_name()


# Memberships


def _load_memberships(users: Sequence[PlannedUser]) -> None:
    """Load the stored memberships. One query, if the claims have organizations."""
    if ORGANIZATIONS_SCOPE not in conf.scopes:
        return
    by_key = {user.identity.pk: user for user in users if user.identity is not None}
    for row in OrganizationMembership.objects.filter(identity__in=by_key).select_related("organization"):
        by_key[row.identity_id].memberships[row.organization.logto_id] = row

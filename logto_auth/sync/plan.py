"""What some pages of people mean here, by the rules of a sign-in. It only reads, a fixed number of queries for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import User
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership, SyncRun, UserStatus, make_digest
from logto_auth.organizations.memberships import organizations_in
from logto_auth.users.fields import changed_values, rights_of, values_for
from logto_auth.users.management_api import claims_of
from logto_auth.users.provisioning import ORGANIZATIONS_SCOPE, ROLES_SCOPE

from . import report as outcomes
from .notes import Notes, notes_about
from .person import Person
from .removals import confirm_losses, what_is_there
from .report import Report
from .unique_values import find_accounts_to_link, settle_unique_values

ORGANIZATION_ROLES_SCOPE = "urn:logto:scope:organization_roles"


def plan(run: SyncRun, users: Iterable[User], api: ManagementAPI, report: Report) -> list[Person]:
    """What is to be done about these people, in one order for all processes, so that no two wait for each other."""
    by_digest = {make_digest(run.issuer, user["id"]): user for user in users}
    identities = LogtoIdentity.objects.select_related("user").in_bulk(by_digest, field_name="digest")
    people = [
        Person(digest=digest, user=user, identity=identities.get(digest), is_new=digest not in identities)
        for digest, user in sorted(by_digest.items())
        if _is_meant(run, user, identities.get(digest), report)
    ]
    _find_memberships(people)
    notes, there = notes_about(run, by_digest), what_is_there(run)
    for person in people:
        about = notes.get(person.digest) or Notes()
        if person.identity is not None:
            confirm_losses(person.identity, person.memberships, about, there, api)
        person.claims = _claims(run, person.user, about)
    _name_organizations(people)
    for person in people:
        _decide_status(person)
        _decide_values(person, report)
    welcome = [person for person in people if not person.is_refused]
    settle_unique_values(welcome, report)
    find_accounts_to_link(welcome)
    _decide_groups(welcome)
    _decide_memberships(welcome)
    return people


def _is_meant(run: SyncRun, user: User, identity: LogtoIdentity | None, report: Report) -> bool:
    if identity is None:
        # Who is suspended can do nothing here, and is new again when that is lifted.
        if run.creates_users and not user["isSuspended"]:
            return True
        report.add(outcomes.UNKNOWN)
        return False
    # Whoever has come since has told all there is, and more than was noted.
    return identity.created_at < run.started_at and identity.status != UserStatus.DELETED


# Claims


def _claims(run: SyncRun, user: User, notes: Notes) -> dict[str, Any]:
    """The claims that a sign-in at this moment would bring."""
    scopes = conf.scopes
    claims = claims_of(user, run.issuer, scopes)
    if ROLES_SCOPE in scopes:
        claims["roles"] = sorted(notes.roles)
    if ORGANIZATIONS_SCOPE in scopes:
        claims["organizations"] = sorted(notes.organizations)
    if ORGANIZATION_ROLES_SCOPE in scopes:
        claims["organization_roles"] = [
            f"{id}:{role}" for id, roles in sorted(notes.organizations.items()) for role in sorted(roles)
        ]
    return claims


def _name_organizations(people: Sequence[Person]) -> None:
    """Add the claim that has the names of organizations, where a sign-in brings it. One query then."""
    if ORGANIZATIONS_SCOPE not in conf.scopes or "organization_data" not in conf.userinfo_claims:
        return
    ids = {make_digest(each.claims["iss"], id): id for each in people for id in each.claims["organizations"]}
    rows = Organization.objects.filter(digest__in=ids).values_list("digest", "name")
    names = {ids[digest]: name for digest, name in rows}
    for person in people:
        person.claims["organization_data"] = [
            {"id": id, "name": names.get(id), "description": None} for id in person.claims["organizations"]
        ]


# The account


def _decide_status(person: Person) -> None:
    is_suspended = person.user["isSuspended"]
    if person.identity is not None and is_suspended != (person.identity.status == UserStatus.SUSPENDED):
        person.status = UserStatus.SUSPENDED if is_suspended else UserStatus.ACTIVE


def _decide_values(person: Person, report: Report) -> None:
    user_model, identity = get_user_model(), person.identity
    person.rights = rights_of(person.claims)
    try:
        values = values_for(user_model, person.claims, person.rights)
    except SignInRefused as error:
        report.conflict(outcomes.REFUSED, f"{person.user['id']}: refused by LOGTO_USER_FIELDS: {error} ({error.code})")
        person.is_refused = True
        return
    person.values = values if identity is None else changed_values(identity.user, values)
    if "roles" in person.claims and (identity is None or identity.roles != person.claims["roles"]):
        person.roles = person.claims["roles"]


# Groups


def _decide_groups(people: Sequence[Person]) -> None:
    """Who gains and who loses which group. One query, where roles decide about groups at all."""
    owned = frozenset(conf.groups_by_role.values())
    if not owned or not has_groups(get_user_model()):
        return
    held: defaultdict[Any, set[str]] = defaultdict(set)
    through, user_key, group_key = groups_table(get_user_model())
    keys = [person.identity.user_id for person in people if person.identity is not None]
    rows = through._default_manager.filter(**{f"{user_key}__in": keys, f"{group_key}__name__in": owned})
    for key, name in rows.values_list(user_key, f"{group_key}__name"):
        held[key].add(name)
    for person in people:
        if person.rights is not None:
            has = held[person.identity.user_id] if person.identity is not None else set()
            person.groups_gained, person.groups_lost = person.rights.groups - has, frozenset(has - person.rights.groups)


def has_groups(user_model: type[AbstractBaseUser]) -> bool:
    """Whether the user model has Django's groups."""
    try:
        return bool(user_model._meta.get_field("groups").many_to_many)
    except FieldDoesNotExist:
        return False


def groups_table(user_model: Any) -> tuple[type[models.Model], str, str]:
    """The model of who is in which group, and its columns for the user and for the group."""
    groups = user_model._meta.get_field("groups")
    return groups.remote_field.through, groups.m2m_field_name(), groups.m2m_reverse_field_name()


# Memberships


def _find_memberships(people: Sequence[Person]) -> None:
    """Find the organizations that each belongs to here. One query, where claims say any of it."""
    if ORGANIZATIONS_SCOPE not in conf.scopes:
        return
    by_key = {person.identity.pk: person for person in people if person.identity is not None}
    for row in OrganizationMembership.objects.filter(identity__in=by_key).select_related("organization"):
        by_key[row.identity_id].memberships[row.organization.logto_id] = row


def _decide_memberships(people: Sequence[Person]) -> None:
    """Who joins and who leaves which organization, or has other roles there."""
    if ORGANIZATIONS_SCOPE not in conf.scopes:
        return
    for person in people:
        has = person.memberships
        wanted = {each.id: each for each in organizations_in(person.claims)}
        person.joined = [each for id, each in wanted.items() if id not in has]
        person.left = [row for id, row in has.items() if id not in wanted]
        person.roles_changed = [
            (row, sorted(wanted[id].roles))
            for id, row in has.items()
            if id in wanted and row.roles != sorted(wanted[id].roles)
        ]

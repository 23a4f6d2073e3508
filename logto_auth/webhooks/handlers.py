"""Apply webhook events to the users that this site knows, and to their organizations.

Roles do not change here: Logto sends no webhook when a user gets a role or a member gets a role in an organization.
Stored roles stay until the next sign-in or refresh.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import ProtectedError, RestrictedError

from logto_auth.batches import Cause, batch
from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.memberships import rows
from logto_auth.memberships.claims import MembershipChanges
from logto_auth.models import LogtoIdentity, LogtoSession, Organization, UserStatus
from logto_auth.oidc.claims import text
from logto_auth.oidc.types import Claims
from logto_auth.transactions import atomic
from logto_auth.users.management_api import changed_at, claims_of_account, claims_of_custom_data, claims_of_profile
from logto_auth.users.provisioning import find_identity, send_changes, update_fields
from logto_auth.users.rights import RightsChanges, has_admin_rights
from logto_auth.users.suspension import reactivate, suspend

from .events import WebhookEvent
from .ordering import claim_newest, deletion_subject, has_newer_event, membership_subject, name_subject

logger = logging.getLogger("logto_auth")


def apply(event: WebhookEvent) -> None:
    """Apply `event`. Does nothing for most events, and for events about users that this site does not know."""
    handler = HANDLERS.get(event.name)
    if handler is not None:
        with batch(Cause.LOGTO):
            handler(event)


# Users


def _update_user(event: WebhookEvent) -> None:
    identity = find_identity(conf.issuer, event.user_id) if event.user_id else None
    if identity is None or identity.status == UserStatus.DELETED:
        return
    if event.user is not None:
        # A change cannot be newer than the event that reports it.
        at = min(changed_at(event.user) or event.at, event.at)
        _update_from_user_object(identity, event.user, at)
    elif event.part is not None:
        _update_parts(identity, {event.part: event.data}, event.at)
    _require_revalidation(identity)


def _require_revalidation(*identities: LogtoIdentity) -> None:
    """Let the sessions of these users ask Logto again.

    Their identities are locked first, as a suspension does, so that two webhooks do not wait for each other.
    """
    with atomic():
        LogtoIdentity.objects.filter(pk__in=[identity.pk for identity in identities]).lock()
        LogtoSession.objects.filter(identity__in=identities).require_revalidation()


def _update_from_user_object(identity: LogtoIdentity, user: Mapping[str, Any], at: float) -> None:
    # The status first: a suspended user's sessions end before any function of the site is called.
    if user.get("isSuspended") is True:
        suspend(identity, UserStatus.SUSPENDED, at)
    elif user.get("isSuspended") is False:
        reactivate(identity, at)
    _update_parts(identity, {"user": user, "profile": user.get("profile"), "custom_data": user.get("customData")}, at)


def _update_parts(identity: LogtoIdentity, parts: Mapping[str, Any], at: float) -> None:
    """Update the fields from parts of a user object, each part unless a newer event has reported it."""
    subjects = {f"user:{identity.sub}:{part}": part for part in parts}
    with atomic():
        newest = {subjects[subject] for subject in claim_newest(subjects, at)}
        claims: dict[str, Any] = {}
        for part in sorted(newest, key=list(CLAIMS_OF).index):
            claims |= CLAIMS_OF[part](parts[part], conf.scopes)
        if "profile" not in newest or not isinstance(parts["profile"], dict):
            # The profile may have a given name and a family name, which are used instead.
            claims.pop("name", None)
        if claims:
            _update_fields(identity, claims, is_all=newest == CLAIMS_OF.keys())


# In this order, because claims of the profile override claims that are derived from the rest.
CLAIMS_OF: dict[str, Callable[[Any, Any], Claims]] = {
    "user": claims_of_account,
    "profile": claims_of_profile,
    "custom_data": claims_of_custom_data,
}


def _update_fields(identity: LogtoIdentity, claims: Claims, *, is_all: bool) -> None:
    try:
        update_fields(identity, claims, is_all=is_all)
    except SignInRefused as error:
        # The next sign-in or refresh decides, because only it has all claims.
        logger.warning("A user was not updated from a webhook: %s (%s)", error, error.code)


def _delete_user(event: WebhookEvent) -> None:
    identity = find_identity(conf.issuer, event.user_id) if event.user_id else None
    if identity is None:
        return
    suspend(identity, UserStatus.DELETED, event.at)
    if conf.webhook_delete_users and identity.status == UserStatus.DELETED and not _must_be_kept(identity.user):
        try:
            with atomic():
                identity.user.delete()
        except (ProtectedError, RestrictedError):
            logger.error("The account %s is deactivated, not deleted: other rows refer to it.", identity.user.pk)


def _must_be_kept(user: Any) -> bool:
    """Return whether the account is staff or has another identity, so that it is not deleted."""
    others = LogtoIdentity.objects.filter(user_id=user.pk).exclude(status=UserStatus.DELETED)
    return has_admin_rights(user) or bool(others.exists())


# Organizations


def _update_memberships(event: WebhookEvent) -> None:
    organization_id = event.organization_id
    if organization_id is None:
        return
    added, removed = event.ids("addedUserIds"), event.ids("removedUserIds")
    identities = LogtoIdentity.objects.for_subs(conf.issuer, added | removed).select_related("user")
    known = {identity.sub: identity for identity in identities}
    subjects = {membership_subject(organization_id, sub): sub for sub in known}
    with atomic():
        newest = {subjects[subject] for subject in claim_newest(subjects, event.at)}
        # Before a membership is added: its foreign key takes a shared lock on MariaDB, which could not be raised.
        _require_revalidation(*[known[sub] for sub in newest])
        leaving = [known[sub] for sub in newest & removed]
        is_deleted = has_newer_event(deletion_subject(organization_id), event.at)
        joining = [] if is_deleted else [known[sub] for sub in newest & added]
        changes = rows.end_memberships(organization_id, leaving) + rows.add_members(organization_id, joining)
    _send_memberships(changes)


def _send_memberships(changes: Iterable[tuple[LogtoIdentity, MembershipChanges]]) -> None:
    for identity, each in changes:
        send_changes(identity, RightsChanges(), each)


def _rename_organization(event: WebhookEvent) -> None:
    if event.organization_id is None or not isinstance(event.data, dict):
        return
    with atomic():
        if claim_newest([name_subject(event.organization_id)], event.at):
            rows.rename(event.organization_id, text(event.data, "name"))


def _delete_organization(event: WebhookEvent) -> None:
    if event.organization_id is None:
        return
    with atomic():
        claim_newest([deletion_subject(event.organization_id)], event.at)
        rows_of_members = LogtoIdentity.objects.filter(
            memberships__organization__in=Organization.objects.for_logto_id(event.organization_id)
        )
        members = list(rows_of_members.select_related("user"))
        _require_revalidation(*members)
        changes = rows.end_memberships(event.organization_id, members)
    _send_memberships(changes)


HANDLERS: dict[str, Callable[[WebhookEvent], None]] = {
    "User.Data.Updated": _update_user,
    "User.SuspensionStatus.Updated": _update_user,
    "User.Deleted": _delete_user,
    "Organization.Membership.Updated": _update_memberships,
    "Organization.Data.Updated": _rename_organization,
    "Organization.Deleted": _delete_organization,
}

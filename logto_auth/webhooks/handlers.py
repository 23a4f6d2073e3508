"""This site follows what Logto's webhooks tell: of people that it knows, of their organizations, and of nobody else.

Roles are not followed, for Logto tells of none: neither when somebody gets a role nor when a member gets one in an
organization. What is known of them stays until the next sign-in or refresh.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError, RestrictedError

from logto_auth.conf import conf
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, UserStatus, make_digest
from logto_auth.oidc.claims import text
from logto_auth.oidc.types import Claims
from logto_auth.organizations import rows
from logto_auth.users.management_api import changed_at, claims_of_account, claims_of_custom_data, claims_of_profile
from logto_auth.users.provisioning import find_identity, update_fields
from logto_auth.users.suspension import reactivate, suspend

from .events import WebhookEvent
from .ordering import claim_newest, has_newer_event

logger = logging.getLogger("logto_auth")


def follow(event: WebhookEvent) -> None:
    """Do what `event` means here; nothing for most events, and for those about people whom this site does not know."""
    follow_it = HANDLERS.get(event.name)
    if follow_it is not None:
        follow_it(event)


# People


def _follow_user(event: WebhookEvent) -> None:
    identity = find_identity(conf.issuer, event.user_id) if event.user_id else None
    if identity is None or identity.status == UserStatus.DELETED:
        return
    if event.user is not None:
        # Nothing is told before it has happened.
        at = min(changed_at(event.user) or event.created_at, event.created_at)
        _follow_user_object(identity, event.user, at)
    elif event.part is not None:
        _follow_news(identity, {event.part: event.data}, event.created_at)


def _follow_user_object(identity: LogtoIdentity, user: Mapping[str, Any], at: datetime) -> None:
    # Whoever is shut out is out before a function of the site is asked for anything.
    if user.get("isSuspended") is True:
        suspend(identity, UserStatus.SUSPENDED, at)
    elif user.get("isSuspended") is False:
        reactivate(identity, at)
    _follow_news(identity, {"user": user, "profile": user.get("profile"), "custom_data": user.get("customData")}, at)


def _follow_news(identity: LogtoIdentity, parts: Mapping[str, Any], at: datetime) -> None:
    """Follow the parts of a user object, each unless it has been told of later."""
    subjects = {f"user:{identity.sub}:{part}": part for part in parts}
    with transaction.atomic():
        newest = {subjects[subject] for subject in claim_newest(subjects, at)}
        news: dict[str, Any] = {}
        for part in sorted(newest, key=list(CLAIMS_OF).index):
            news |= CLAIMS_OF[part](parts[part], conf.scopes)
        if news:
            _update(identity, news, is_all=newest == CLAIMS_OF.keys())


# In this order, for what stands in a profile goes before what is made up from the rest.
CLAIMS_OF: dict[str, Callable[[Any, Any], Claims]] = {
    "user": claims_of_account,
    "profile": claims_of_profile,
    "custom_data": claims_of_custom_data,
}


def _update(identity: LogtoIdentity, news: Claims, *, is_all: bool) -> None:
    try:
        update_fields(identity, news, is_all=is_all)
    except SignInRefused as error:
        # A matter for the next sign-in, or the next refresh: only there all of the claims are known.
        logger.warning("What Logto tells of a person was not stored: %s (%s)", error, error.code)


def _follow_deletion(event: WebhookEvent) -> None:
    identity = find_identity(conf.issuer, event.user_id) if event.user_id else None
    if identity is None:
        return
    suspend(identity, UserStatus.DELETED, event.created_at)
    if conf.webhook_delete_users and identity.status == UserStatus.DELETED and not _is_to_be_kept(identity.user):
        try:
            with transaction.atomic():
                identity.user.delete()
        except (ProtectedError, RestrictedError):
            logger.error("The account %s is switched off and not deleted: other rows need it.", identity.user.pk)


def _is_to_be_kept(user: Any) -> bool:
    """Whether the account has more to it than one person deleted at Logto: staff, or another identity."""
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return True
    return bool(LogtoIdentity.objects.filter(user_id=user.pk).exclude(status=UserStatus.DELETED).exists())


# Organizations


def _follow_membership(event: WebhookEvent) -> None:
    organization_id = event.organization_id
    if organization_id is None:
        return
    added, removed = event.ids("addedUserIds"), event.ids("removedUserIds")
    digests = [make_digest(conf.issuer, sub) for sub in added | removed]
    with transaction.atomic():
        known = {identity.sub: identity for identity in LogtoIdentity.objects.filter(digest__in=digests)}
        subjects = {f"membership:{organization_id}:{sub}": sub for sub in known}
        newest = {subjects[subject] for subject in claim_newest(subjects, event.created_at)}
        rows.remove_members(organization_id, [known[sub] for sub in newest & removed])
        if not has_newer_event(_end_of(organization_id), event.created_at):
            rows.add_members(organization_id, [known[sub] for sub in newest & added])


def _follow_name(event: WebhookEvent) -> None:
    if event.organization_id is None or not isinstance(event.data, dict):
        return
    with transaction.atomic():
        if claim_newest([f"organization:{event.organization_id}"], event.created_at):
            rows.rename(event.organization_id, text(event.data, "name"))


def _follow_end(event: WebhookEvent) -> None:
    if event.organization_id is None:
        return
    with transaction.atomic():
        claim_newest([_end_of(event.organization_id)], event.created_at)
        rows.remove_members(event.organization_id)


def _end_of(organization_id: str) -> str:
    return f"organization:{organization_id}:end"


HANDLERS: dict[str, Callable[[WebhookEvent], None]] = {
    "User.Data.Updated": _follow_user,
    "User.SuspensionStatus.Updated": _follow_user,
    "User.Deleted": _follow_deletion,
    "Organization.Membership.Updated": _follow_membership,
    "Organization.Data.Updated": _follow_name,
    "Organization.Deleted": _follow_end,
}

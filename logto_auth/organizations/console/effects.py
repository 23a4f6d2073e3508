"""What this site does after a change at Logto: its rows and sessions follow at once, as if a webhook had reported it.

A webhook or a sync that reports the same change later finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from logto_auth.batches import Cause, batch
from logto_auth.conf import conf
from logto_auth.memberships import rows
from logto_auth.memberships.claims import Membership
from logto_auth.models import LogtoIdentity, LogtoSession, Organization, OrganizationMembership
from logto_auth.pages.page import refresh_claims
from logto_auth.signals import organization_changed
from logto_auth.transactions import atomic
from logto_auth.users.provisioning import find_identity, send_changes
from logto_auth.users.rights import RightsChanges
from logto_auth.webhooks.ordering import (
    claim_newest,
    deletion_subject,
    has_newer_event,
    membership_subject,
    name_subject,
)

from .rights import Actor

__all__ = [
    "after_change",
    "end_membership",
    "end_organization",
    "has_membership",
    "refresh_own_claims",
    "rename_organization",
    "store_membership",
]


def after_change(
    actor: Actor,
    organization_id: str,
    action: str,
    change_rows: Callable[[float], None] | None = None,
    *,
    target: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Let the rows of this site follow a change at Logto, and send `organization_changed`: one batch.

    `change_rows` receives the time when the request began, which counts as that of the change. So webhooks about
    earlier changes are stale (`webhooks.ordering`), however late they arrive, and those about later ones are not.

    The claims of the acting user are fetched again if the change concerns them: if they are the `target`, or there is
    none and rows change. If Logto no longer confirms their session, it ends, and nothing is raised.
    """
    with batch(Cause.USER, actor.request):
        if change_rows is not None:
            change_rows(actor.began_at)
        user = actor.user
        # `request.user` is a lazy object, whose own type is not the user model.
        organization_changed.send_robust(
            sender=user.__class__,
            request=actor.request,
            user=user,
            organization_id=organization_id,
            action=action,
            target=target,
            details=dict(details or {}),
        )
    is_own = target == actor.sub or (not target and change_rows is not None)
    if is_own:
        refresh_own_claims(actor)


def refresh_own_claims(actor: Actor) -> None:
    """Fetch the claims of the acting user again. A failure is logged, and may have ended the session."""
    if not actor.has_token:
        refresh_claims(actor.request)


def store_membership(sub: str, membership: Membership, at: float) -> None:
    """Store that a user belongs to an organization, with exactly these roles.

    A newer webhook may have reported that the membership has ended. None is about roles. By a margin for the clocks,
    no webhook about a later end counts as stale.
    """
    at -= conf.clock_skew_seconds
    identity = find_identity(conf.issuer, sub)
    if identity is None:
        return
    with batch(Cause.LOGTO):
        with atomic():
            is_newest = bool(claim_newest([membership_subject(membership.id, sub)], at))
            _require_revalidation([identity.pk])
            may_join = is_newest and not has_newer_event(deletion_subject(membership.id), at)
            changes = rows.save_membership(identity, membership, may_join=may_join)
        send_changes(identity, RightsChanges(), changes)


def has_membership(sub: str, organization_id: str) -> bool:
    """Return whether this site has stored that a user belongs to an organization. Two queries."""
    identity = find_identity(conf.issuer, sub)
    organizations = Organization.objects.for_logto_id(organization_id)
    rows_of_user = OrganizationMembership.objects.filter(identity=identity, organization__in=organizations)
    return identity is not None and bool(rows_of_user.exists())


def end_membership(sub: str, organization_id: str, at: float) -> None:
    """Delete the membership of a user, unless a newer webhook has reported that it began again."""
    identity = find_identity(conf.issuer, sub)
    if identity is not None:
        _end_memberships([identity], organization_id, membership_subject(organization_id, sub), at)


def end_organization(organization_id: str, at: float) -> None:
    """Delete all memberships in an organization. Its row stays, because rows of the site may refer to it."""
    memberships = OrganizationMembership.objects.filter(
        organization__in=Organization.objects.for_logto_id(organization_id)
    )
    identities = LogtoIdentity.objects.filter(pk__in=memberships.values("identity_id")).select_related("user")
    _end_memberships(list(identities), organization_id, deletion_subject(organization_id), at)


def rename_organization(organization_id: str, name: str, at: float) -> None:
    """Store the new name of an organization, unless a webhook has reported a newer one."""
    with atomic():
        if claim_newest([name_subject(organization_id)], at):
            rows.rename(organization_id, name)


def _end_memberships(identities: list[LogtoIdentity], organization_id: str, subject: str, at: float) -> None:
    with batch(Cause.LOGTO):
        with atomic():
            if not claim_newest([subject], at):
                return
            _require_revalidation([identity.pk for identity in identities])
            ended = rows.end_memberships(organization_id, identities)
        for identity, changes in ended:
            send_changes(identity, RightsChanges(), changes)


def _require_revalidation(identity_ids: list[int]) -> None:
    """Let the sessions of these users ask Logto again, as a webhook does: the identities are locked first."""
    LogtoIdentity.objects.filter(pk__in=identity_ids).lock()
    LogtoSession.objects.filter(identity__in=identity_ids).require_revalidation()

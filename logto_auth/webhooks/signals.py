"""Signals about events at Logto.

`webhook_received` is sent for every event; look at `event.name`. The other signals are for the events that most sites
need. All are sent after this package has applied the event. Logto may deliver late and in any order, so an event may
be older than what is known: `event.created_at` says when it happened. An exception of a receiver is logged and has no
other effect.
"""

from django.dispatch import Signal

__all__ = [
    "membership_changed_at_logto",
    "suspension_changed_at_logto",
    "user_created_at_logto",
    "user_deleted_at_logto",
    "user_updated_at_logto",
    "webhook_received",
]

webhook_received = Signal()
"""Sent for every event of a verified webhook, also for events that this version does not know.

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent`.
"""

user_created_at_logto = Signal()
"""Sent when a user was created at Logto (`User.Created`). The user may have no account on this site.

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent` with `event.user_id` and `event.user`.
"""

user_updated_at_logto = Signal()
"""Sent when data of a user changed at Logto (`User.Data.Updated`), such as the e-mail or the custom data.

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent`; `event.part` says whether its data is a part of the user.
"""

user_deleted_at_logto = Signal()
"""Sent when a user was deleted at Logto (`User.Deleted`).

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent` with `event.user_id`.
"""

suspension_changed_at_logto = Signal()
"""Sent when a user was suspended at Logto, or a suspension was lifted (`User.SuspensionStatus.Updated`).

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent`; `event.user["isSuspended"]` has the new state.
"""

membership_changed_at_logto = Signal()
"""Sent when members of an organization were added or removed at Logto (`Organization.Membership.Updated`).

Sender: `WebhookEvent`. Arguments: `event`, a `WebhookEvent`; `event.ids("addedUserIds")` and
`event.ids("removedUserIds")` have the users.
"""

BY_EVENT = {
    "User.Created": user_created_at_logto,
    "User.Data.Updated": user_updated_at_logto,
    "User.Deleted": user_deleted_at_logto,
    "User.SuspensionStatus.Updated": suspension_changed_at_logto,
    "Organization.Membership.Updated": membership_changed_at_logto,
}

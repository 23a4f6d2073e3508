"""Support access: a staff member acts as a user, with a reason and a time limit (decision 0054).

    from logto_auth.impersonation import end_impersonation, start_impersonation

    start_impersonation(request, user, reason="Ticket 4711: the basket is empty", seconds=900)

`request.user` and `request.logto` are those of the user from the next request on, `request.impersonation` and
`request.impersonator` say who acts. Access tokens for APIs name the staff member in the claim `act`.

The Django permission `logto_auth.impersonate_users` permits it to staff. Nobody can act as staff, as a superuser or as
a user with this permission, and nobody who acts as a user can act as another one.
"""

from asgiref.sync import sync_to_async

from logto_auth.sessions.impersonation import PERMISSION, Impersonation, end_impersonation
from logto_auth.sessions.impersonation_rules import (
    MAX_REASON_LENGTH,
    REFUSAL_TEXTS,
    check_may_impersonate,
    may_impersonate,
    start_impersonation,
)

__all__ = [
    "MAX_REASON_LENGTH",
    "PERMISSION",
    "REFUSAL_TEXTS",
    "Impersonation",
    "aend_impersonation",
    "astart_impersonation",
    "check_may_impersonate",
    "end_impersonation",
    "may_impersonate",
    "start_impersonation",
]

astart_impersonation = sync_to_async(start_impersonation)
aend_impersonation = sync_to_async(end_impersonation)

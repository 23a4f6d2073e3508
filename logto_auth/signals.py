"""Signals about users and their sign-ins.

A receiver can observe an event and cannot prevent it. If a receiver raises an exception, Django logs it and the event
continues. To refuse a sign-in, raise `SignInRefused` in the function of `LOGTO_USER_FIELDS`.

`claims` is a read-only mapping of verified claims. Receivers must not store tokens.
"""

from django.dispatch import Signal

__all__ = [
    "account_changed",
    "account_deleted",
    "account_edited",
    "api_key_changed",
    "api_keys_limited",
    "identity_linked",
    "impersonation_ended",
    "impersonation_refused",
    "impersonation_started",
    "issuer_changed",
    "memberships_changed",
    "organization_changed",
    "password_migrated",
    "password_sign_in_refused",
    "rights_changed",
    "session_ended",
    "sign_in_refused",
    "signed_in",
    "signed_in_with_password",
    "signed_out",
    "user_created",
    "user_reactivated",
    "user_suspended",
    "user_updated",
]

signed_in = Signal()
"""Sent when a user has signed in through Logto, after Django's own `user_logged_in`.

Sender: the user model.

Arguments: `request`; `user`; `claims`, those of the ID token and of `LOGTO_USERINFO_CLAIMS`; `created`, true if this
sign-in created the account.
"""

signed_in_with_password = Signal()
"""Sent when staff have signed in at the password form of the admin: see `LOGTO_ADMIN_PASSWORD_SIGN_IN`.

Sender: the user model.

Arguments: `request`; `user`.
"""

user_created = Signal()
"""Sent when an account was created for a user of Logto, after the transaction and before the sign-in.

There is no sign-in if the user came with an access token (`LOGTO_API_CREATE_USERS`); `claims` then contains `iss` and
`sub` only. `logto_sync --create` sends the signal for each account, after it has stored a page of users.

Sender: the user model.

Arguments: `user`; `claims`.
"""

user_updated = Signal()
"""Sent when an account was updated from Logto: at a sign-in, at a refresh, by a webhook or by `logto_sync`.

Sender: the user model.

Arguments: `user`; `claims`; `changed`, a set of field names, which contains `"groups"` if the groups changed, `"roles"`
if the roles at Logto changed, and `"organizations"` if memberships of organizations or the roles in them changed.
"""

account_edited = Signal()
"""Sent when users have changed their account at Logto with `request.logto.account`, as the account pages do.

Sender: the user model.

Arguments: `request`; `user`; `change`, the name of the method, such as `"set_password"` or `"add_passkey"`.
"""

api_key_changed = Signal()
"""Sent when users have made, renamed or revoked one of their API keys with `logto_auth.api_keys`, after the change.

Sender: the user model.

Arguments: `request`; `user`; `action`: `"created"`, `"renamed"` or `"revoked"`; `name`, which the user has chosen, the
new one after `"renamed"`; `key_id`, which stays the same. The value of the key is not among them.
"""

identity_linked = Signal()
"""Sent when an existing account of this site was linked to a user of Logto.

`LOGTO_LINK_BY_EMAIL` links accounts at a sign-in, and `logto_sync --create` by the same rule. `logto_import` links each
account that it imports. The signal is not sent for a new account.

Sender: the user model.

Arguments: `user`; `identity`, the new `LogtoIdentity`.
"""

issuer_changed = Signal()
"""Sent when `logto_move_issuer` has given the users and organizations of `LOGTO_FORMER_ENDPOINTS` the new issuer.

It is not sent if it has moved none.

Sender: None.

Arguments: `issuer`, the new one; `identities` and `organizations`, how many were moved.
"""

rights_changed = Signal()
"""Sent when Logto has changed the rights of an account: at a sign-in, at a refresh or by `logto_sync`.

It is not sent for a new account: `user_created` has its claims.

Sender: the user model.

Arguments: `user`; `identity`, the `LogtoIdentity` whose claims changed them; `former` and `current`, two mappings with
the same keys, only of what changed: `"roles"`, the sorted names of the roles at Logto; `"groups"`, the sorted names of
those groups that roles control; `"is_staff"`, `"is_superuser"` and `"is_active"`, the flags of the account.
"""

memberships_changed = Signal()
"""Sent when Logto has changed in which organizations a user is, or which roles the user has there.

At a sign-in, at a refresh, by a webhook or by `logto_sync`. It is not sent for a new account: `user_created` has its
claims.

Sender: the user model.

Arguments: `user`; `identity`, the `LogtoIdentity`; `former` and `current`, two mappings from the ids of organizations
at Logto to sorted lists with the names of roles there. They have only organizations that changed. One that the user
has joined is missing in `former`, and one that the user has left in `current`.
"""

organization_changed = Signal()
"""Sent when a user has changed an organization at Logto with the console, after the change.

If Logto fails while the roles of a member change, it is sent for those that have changed before.

Sender: the user model.

Arguments: `request`; `user`, who has done it; `organization_id`; `action`, such as `"member_removed"`; `target`, the
`sub` of the member whom it is about, or ""; `details`, a mapping without personal data.
"""

password_migrated = Signal()
"""Sent when this site has confirmed a password that Logto could not import, so that Logto stores it.

Sent once for a user at Logto, by `logto_auth.password_migration`. It is not sent for users who set a password at Logto
themselves. Logto stores the password only after the answer, so the sign-in may still fail.

Sender: the user model.

Arguments: `user`; `identity`, the `LogtoIdentity`. The password is not among them.
"""

user_suspended = Signal()
"""Sent when Logto has reported that a user was suspended or deleted there, after the sessions of the user have ended.

The account may stay active: if it has another identity, or if staff have reactivated it.

Sender: the user model.

Arguments: `user`; `identity`, the `LogtoIdentity`; `status`, a `UserStatus`: suspended or deleted.
"""

user_reactivated = Signal()
"""Sent when Logto has reported that the suspension of a user was lifted.

Also if a new user at Logto gets the account of one who was deleted there: see `LOGTO_LINK_BY_EMAIL`. The account stays
inactive if staff deactivated it.

Sender: the user model.

Arguments: `user`; `identity`, the `LogtoIdentity`.
"""

session_ended = Signal()
"""Sent once for each session that has ended.

Logto no longer confirms it, the site refuses the user, the user has signed out at Logto, or the user or staff has ended
it from another session.

What ends the session sends the signal. The next requests of the session find it ended, and send nothing. The signal is
not sent for a sign-out, for a session that has expired, nor if the account was deleted.

Sender: the user model.

Arguments: `request`, the request of the session in which it ended, before Django's session is emptied, or None if
something else has ended it; `user`, who is no longer signed in; `reason`, the code of the error, or another text of the
table below.
"""

sign_in_refused = Signal()
"""Sent when a sign-in fails, for any reason, before the error page is shown.

Sender: the class of the error.

Arguments: `request`; `error`, a `LogtoError`.
"""

password_sign_in_refused = Signal()
"""Sent when the password form of the admin has refused an attempt: see `LOGTO_ADMIN_PASSWORD_SIGN_IN`.

Sender: the class of the form.

Arguments: `request`; `code`: `"invalid_login"`, also for an account that is not staff; `"inactive"`, if the backend of
the site accepts inactive accounts; `"too_many_attempts"`; `"attempts_not_counted"`, if the cache does not work.
"""

api_keys_limited = Signal()
"""Sent when so many API keys from one address were refused that others from there are refused without asking Logto.

Sent once in each period of a minute. A single refused key sends nothing, because anybody can send one.

Sender: `logto_auth.api.api_keys.ApiKeys`.

Arguments: `request`; `network`, the IPv4 address, or the /64 network of an IPv6 address; `""` if it is unknown.
"""

impersonation_started = Signal()
"""Sent when a staff member has begun to act as a user.

Sender: the user model.

Arguments: `request`; `user`; `impersonator`, the staff member; `reason`, as they have written it; `seconds`, how long
it lasts at most.
"""

impersonation_ended = Signal()
"""Sent once when a staff member no longer acts as a user.

An impersonation whose time is over ends at its next request, or when `logto_clearsessions` runs. The signal is not sent
if one of the two accounts was deleted.

Sender: the user model.

Arguments: `request`, the request in which it ended, or None; `user`; `impersonator`, the staff member; `seconds`, how
long it lasted; `cause`: `"left"`, `"expired"`, `"signed_out"`, `"impersonator_session_ended"`,
`"impersonator_not_permitted"`, `"user_refused"` or `"session_ended"`.
"""

impersonation_refused = Signal()
"""Sent when a try to act as a user was refused.

Sender: the user model.

Arguments: `request`; `user`, as whom they wanted to act; `impersonator`, who has tried; `code`, that of the
`ImpersonationRefused`; `reason`, the text that they have written.
"""

signed_out = Signal()
"""Sent when a user has signed out through the sign-out view. The session is empty by then.

Sender: the user model.

Arguments: `request`; `user`.
"""

account_changed = Signal()
"""Sent when a user has come back from a task of Logto's Account Center, and something has changed.

The claims and the account are up to date by then, if Logto could be reached. Tasks such as `password` change no claim:
Logto says only that they are done.

Sender: the user model.

Arguments: `request`; `user`; `task`, one of `logto_auth.account.TASKS`; `changed`, a set of the names of claims that
have changed, which may be empty.
"""

account_deleted = Signal()
"""Sent when users have deleted their account on the page for it, after the function of `LOGTO_DELETE_ACCOUNT`.

Whether the account is deleted here and at Logto is what that function does. The session has not ended yet.

Sender: the user model.

Arguments: `request`; `user`, whose row may be deleted; `claims`.
"""

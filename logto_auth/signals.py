"""What a site may listen to. Receivers observe; they decide nothing.

Each is sent with the arguments named beside it; `sender` is the user model. A receiver that raises does not stop the
sign-in: its exception is logged.
"""

from django.dispatch import Signal

# request, user, claims, created: a person has signed in through Logto, after Django's own `user_logged_in`.
signed_in = Signal()

# user, claims: an account was made for a person seen for the first time.
user_created = Signal()

# user, claims, changed (names of fields; "groups", "roles", "organizations"): Logto had something new about somebody.
user_updated = Signal()

# request, user, reason: a session ended because Logto no longer stands behind it; `reason` is the code of the error.
session_ended = Signal()

# request, error (a LogtoError): a sign-in did not succeed. The sender is the error's class.
sign_in_refused = Signal()

# request, user: a person has signed out through the sign-out view.
signed_out = Signal()

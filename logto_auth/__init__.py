"""Logto sign-in for Django.

The tour, in the order in which data flows:

- `conf` knows every `LOGTO_` setting; `checks` finds mistakes in them at start-up.
- `oidc` speaks the protocol and knows nothing of Django; `clients` builds its client from the settings.
- `sign_in` starts a sign-in and keeps it pending in the browser until Logto sends the visitor back.
- `backends` turns verified claims into a Django user, by `mapping` (pure) and `provisioning` (the database).
- `sessions` keeps the tokens of a signed-in session; `sessions.principal` has `request.logto`, the object that views use.
- `webhooks` takes what Logto tells by itself; `following` does it here.
- `views`, `middleware`, `templatetags` and `admin_site` are what a site plugs in.

`emulator` is a small Logto of its own, for development and tests.
"""

__version__ = "0.1.0"

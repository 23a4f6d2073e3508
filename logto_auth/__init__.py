"""Sign-in with Logto for Django.

Packages, from the lowest layer to the highest. A module imports from lower layers only.

- `oidc`: the OpenID Connect protocol, without Django.
- `conf`, `models`, `signals`, `exceptions`, `encryption`: settings, tables and what every other module uses.
- `management_api`: the client of Logto's Management API. `organizations`: the current organization.
- `clients`: the clients built from the settings. `users`: from verified claims to a Django user. `tenant` and
  `connectors`: what this site needs at Logto.
- `sign_in`: starting a sign-in, and its state until the callback. `webhooks`, `sync`, `doctor` and `backends`.
- `access`: what a view requires, and the response if the user lacks it.
- `sessions`: tokens, refresh, revalidation and end of a session; `request.logto`. `api`: requests with access tokens.
- `views`, `middleware`, `decorators`, `mixins`, `templatetags`, `contrib` and `admin_site`: what a site plugs in.
- `testing`: fixtures for a site's tests, with `emulator`, a small Logto that shares no code with the rest.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"

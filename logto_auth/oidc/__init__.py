"""OpenID Connect and OAuth 2.0 as Logto implements them, without Django and without the settings of the site.

`client` is the relying party, `access_tokens` verifies the access tokens of API requests, and `client_credentials` gets
tokens for the site itself. `logto_auth.clients` builds all three from the settings. `errors` lists what they raise.
"""

__all__: list[str] = []

"""OpenID Connect and OAuth 2.0 as Logto implements them, without Django and without the settings of the site.

`client` is the relying party, `access_tokens` verifies the access tokens of API requests, `client_credentials` gets
tokens for the site itself, and `token_exchange` for the user of another token. `logto_auth.clients` builds all four
from the settings. `errors` lists what they raise.
"""

__all__: list[str] = []

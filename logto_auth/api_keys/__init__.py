"""API keys of users: pages, endpoints and a service to make, name, list and revoke them.

    path("account/api-keys/", include("logto_auth.api_keys.urls"))
    path("api/api-keys/", include("logto_auth.api_keys.api_urls"))

An API key is a personal access token of Logto. `ApiKeys` does everything; the pages and the endpoints only present it.
It sends its requests to Logto's Management API in the name of the site. A view accepts keys if it says so.
"""

from .service import ApiKeys
from .values import ApiKey, NewApiKey

__all__ = ["ApiKey", "ApiKeys", "NewApiKey"]

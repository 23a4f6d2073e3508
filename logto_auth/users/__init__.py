"""From the claims of a Logto user to a Django user.

`claims` reads claims; `fields`, `rights` and `unique_values` compute what an account gets; `provisioning` finds,
creates and updates one user; `linking` links accounts by e-mail; `suspension` follows the status of the user at Logto;
`accepted` asks the backend of the site whether an account may be used.
"""

from logto_auth.oidc.claims import text
from logto_auth.oidc.types import Claims

from .claims import user_fields

__all__ = ["Claims", "text", "user_fields"]

"""From the claims of a Logto user to a Django user.

`claims` reads claims, `fields` and `unique_values` compute what an account gets, `provisioning` finds, creates and
updates one user, `linking` links accounts by e-mail, and `suspension` follows the user's status at Logto.
"""

from logto_auth.oidc.claims import text

from .claims import user_fields

__all__ = ["text", "user_fields"]

"""Sign-in at Logto: how it starts (`start`), its state until the callback (`state`), and where it leads (`next_url`).

`page` renders the pages of this package, and `error_page` that of a failed sign-in.
"""

from logto_auth.oidc.authorization import SignInOptions

from .error_page import error_response
from .next_url import safe_next_url
from .start import redirect_to_logto, sign_in_url

__all__ = ["SignInOptions", "error_response", "redirect_to_logto", "safe_next_url", "sign_in_url"]

"""Sign-in at Logto: how it starts, its state until the callback, and the error page if it fails."""

from logto_auth.oidc.authorization import SignInOptions

from .error_page import error_response
from .start import redirect_to_logto, safe_next_url, sign_in_url

__all__ = ["SignInOptions", "error_response", "redirect_to_logto", "safe_next_url", "sign_in_url"]

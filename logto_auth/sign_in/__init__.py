"""Starting a sign-in at Logto, and what is kept until the callback."""

from logto_auth.oidc.authorization import SignInOptions

from .start import redirect_to_logto, safe_next_url, sign_in_url

__all__ = ["SignInOptions", "redirect_to_logto", "safe_next_url", "sign_in_url"]

"""The views that a browser opens: sign-in, callback, second factor, sign-out, and the choice of an organization.

A script of a page opens one of them: that of the access tokens for scripts.
"""

from .browser_token import BrowserTokenView
from .callback import CallbackView
from .invitation import AcceptInvitationView
from .organizations import ChooseOrganizationView
from .second_factor import SecondFactorView
from .sign_in import SignInView
from .sign_out import SignOutOthersView, SignOutView

__all__ = [
    "AcceptInvitationView",
    "BrowserTokenView",
    "CallbackView",
    "ChooseOrganizationView",
    "SecondFactorView",
    "SignInView",
    "SignOutOthersView",
    "SignOutView",
]

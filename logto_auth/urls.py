"""The URLs of the whole package: `path("", include("logto_auth.urls"))`."""

from django.urls import path

from . import api_urls
from .account.return_view import AccountReturnView
from .sessions.backchannel import BackChannelLogoutView
from .views import (
    BrowserTokenView,
    CallbackView,
    ChooseOrganizationView,
    SecondFactorView,
    SignInView,
    SignOutOthersView,
    SignOutView,
)

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_auth"

urlpatterns = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("callback", CallbackView.as_view(), name="callback"),
    path("second-factor", SecondFactorView.as_view(), name="second-factor"),
    path("sign-out", SignOutView.as_view(), name="sign-out"),
    path("sign-out-others", SignOutOthersView.as_view(), name="sign-out-others"),
    path("back-channel-logout", BackChannelLogoutView.as_view(), name="back-channel-logout"),
    path("account-return", AccountReturnView.as_view(), name="account-return"),
    path("choose-organization", ChooseOrganizationView.as_view(), name="choose-organization"),
    path("access-token", BrowserTokenView.as_view(), name="access-token"),
    *api_urls.urlpatterns,
]

"""`path("", include("logto_auth.urls"))`."""

from django.urls import path

from .backchannel import BackChannelLogoutView
from .views import CallbackView, SignInView, SignOutOthersView, SignOutView

app_name = "logto_auth"

urlpatterns = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("callback", CallbackView.as_view(), name="callback"),
    path("sign-out", SignOutView.as_view(), name="sign-out"),
    path("sign-out-others", SignOutOthersView.as_view(), name="sign-out-others"),
    path("back-channel-logout", BackChannelLogoutView.as_view(), name="back-channel-logout"),
]

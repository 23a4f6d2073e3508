"""`path("", include("logto_auth.urls"))`."""

from django.urls import path

from .views import CallbackView, SignInView, SignOutView

app_name = "logto_auth"

urlpatterns = [
    path("sign-in", SignInView.as_view(), name="sign-in"),
    path("callback", CallbackView.as_view(), name="callback"),
    path("sign-out", SignOutView.as_view(), name="sign-out"),
]

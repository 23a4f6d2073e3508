"""The links of REST framework's browsable API: `path("api-auth/", include("logto_auth.contrib.rest_framework_urls"))`.

Use it in place of `rest_framework.urls`, whose pages ask for a password and end the session on this site only.
"""

from django.urls import path

from logto_auth.views import SignInView, SignOutView

__all__ = ["app_name", "urlpatterns"]

# The templates of REST framework look for `rest_framework:login` and `rest_framework:logout`.
app_name = "rest_framework"

urlpatterns = [
    path("login/", SignInView.as_view(), name="login"),
    path("logout/", SignOutView.as_view(), name="logout"),
]

"""The pages of the account centre: `path("account/", include("logto_auth.account.urls"))`."""

from django.urls import path

from .identifiers import EmailPage, PhonePage, UsernamePage
from .linked import LinkCallback, LinkedPage, LinkPage
from .password import PasswordPage
from .profile import ProfilePage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_account"
urlpatterns = [
    path("", ProfilePage.as_view(), name="profile"),
    path("username", UsernamePage.as_view(), name="username"),
    path("email", EmailPage.as_view(), name="email"),
    path("phone", PhonePage.as_view(), name="phone"),
    path("password", PasswordPage.as_view(), name="password"),
    # security.py, factors.py, passkeys.py
    # name="security", "authenticator-app", "backup-codes", "passkeys", "passkey" (<str:factor_id>)
    # linked.py
    path("linked", LinkedPage.as_view(), name="linked"),
    path("linked/<str:connector_id>", LinkPage.as_view(), name="link"),
    path("linked/<str:connector_id>/callback", LinkCallback.as_view(), name="link-callback"),
    # signed_in.py, applications.py, delete.py
    # name="sessions", "applications", "delete"
    # verification.py
    # name="verify"
]

"""The pages of the account centre: `path("account/", include("logto_auth.account.urls"))`."""

from django.urls import path

from .applications import ApplicationsPage
from .delete import DeletePage
from .factors import AuthenticatorAppPage, BackupCodesPage, FactorAtSignInPage
from .identifiers import EmailPage, PhonePage, UsernamePage
from .linked import LinkCallback, LinkedPage, LinkPage
from .passkeys import AddPasskeyPage, PasskeyPage
from .password import PasswordPage
from .profile import ProfilePage
from .security import SecurityPage
from .signed_in import SessionsPage
from .verify_page import VerifyPage

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_account"
urlpatterns = [
    path("", ProfilePage.as_view(), name="profile"),
    path("username", UsernamePage.as_view(), name="username"),
    path("email", EmailPage.as_view(), name="email"),
    path("phone", PhonePage.as_view(), name="phone"),
    path("password", PasswordPage.as_view(), name="password"),
    path("security", SecurityPage.as_view(), name="security"),
    path("security/authenticator-app", AuthenticatorAppPage.as_view(), name="authenticator-app"),
    path("security/backup-codes", BackupCodesPage.as_view(), name="backup-codes"),
    path("security/at-sign-in", FactorAtSignInPage.as_view(), name="factor-at-sign-in"),
    path("security/passkeys", AddPasskeyPage.as_view(), name="passkeys"),
    path("security/passkeys/<str:factor_id>", PasskeyPage.as_view(), name="passkey"),
    path("linked", LinkedPage.as_view(), name="linked"),
    path("linked/<str:connector_id>", LinkPage.as_view(), name="link"),
    path("linked/<str:connector_id>/callback", LinkCallback.as_view(), name="link-callback"),
    path("sessions", SessionsPage.as_view(), name="sessions"),
    path("applications", ApplicationsPage.as_view(), name="applications"),
    path("delete", DeletePage.as_view(), name="delete"),
    path("verify", VerifyPage.as_view(), name="verify"),
]

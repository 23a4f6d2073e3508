"""The endpoint that Logto's script calls: `path("", include("logto_auth.password_migration.urls"))`."""

from django.urls import path

from .views import PasswordCheckView

__all__ = ["app_name", "urlpatterns"]

app_name = "logto_password_migration"
urlpatterns = [path("password-migration/logto", PasswordCheckView.as_view(), name="check")]

"""An API that includes the account pages by mistake."""

from django.urls import include, path

urlpatterns = [path("account/", include("logto_auth.account.urls"))]

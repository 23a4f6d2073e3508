"""The sign-in pages below the language of the visitor."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = i18n_patterns(path("", include("logto_auth.urls")))

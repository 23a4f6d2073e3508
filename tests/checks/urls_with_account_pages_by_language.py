"""A site with the account pages below a language prefix."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = [
    path("", include("logto_auth.urls")),
    *i18n_patterns(path("account/", include("logto_auth.account.urls"))),
]

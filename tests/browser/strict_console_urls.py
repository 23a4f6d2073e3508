"""The pages of the console in the package's own frame, under the strictest Content Security Policy."""

from django.urls import include, path

from logto_auth.organizations.console import urls

from .strict_account_urls import csp_nonce, home, with_policy

__all__ = ["csp_nonce"]

pages = [path(str(each.pattern), with_policy(each.callback), name=each.name) for each in urls.urlpatterns]
urlpatterns = [
    path("", include("logto_auth.urls")),
    path("branches/", include((pages, urls.app_name))),
    path("", home),
]

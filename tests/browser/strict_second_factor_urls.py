"""A site with pages that need a second factor, under the strictest Content Security Policy."""

from django.urls import include, path

from logto_auth import urls as logto_urls
from logto_auth.account import urls as account_urls
from logto_auth.admin_site import LogtoAdminSite
from tests.second_factor.urls import fresh_vault, passkey_vault, vault

from .strict_account_urls import csp_nonce, home, pages, with_policy

__all__ = ["csp_nonce"]

views = [path(str(each.pattern), with_policy(each.callback), name=each.name) for each in logto_urls.urlpatterns]
urlpatterns = [
    path("", include((views, logto_urls.app_name))),
    path("account/", include((pages, account_urls.app_name))),
    path("admin/", LogtoAdminSite().urls),
    path("vault/", vault),
    path("fresh-vault/", fresh_vault),
    path("passkey-vault/", passkey_vault),
    path("", home),
]

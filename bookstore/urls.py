"""The URLs of the site. Sign-in, callback, account pages and the console of branches come from logto_auth."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _
from django.views.generic import RedirectView

admin.site.site_header = admin.site.site_title = _("Bookstore administration")

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", include("bookstore.catalog.urls")),
    path("", include("bookstore.orders.urls")),
    path("branches/", include("bookstore.branches.urls")),
    path("api/", include("bookstore.api.urls")),
    path("account/", include("bookstore.account.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("favicon.ico", RedirectView.as_view(url=f"{settings.STATIC_URL}bookstore/icon.svg")),
]

# The pages of one branch are those of the console. The list of branches stays that of the shop.
console_urlpatterns = [
    path("branches/", include("logto_auth.organizations.console.urls")),
    path("api/branches/", include("logto_auth.organizations.console.api_urls")),
]
# The pages on which users make keys for their scripts, beside the other account pages.
api_key_urlpatterns = [path("account/api-keys/", include("logto_auth.api_keys.urls"))]
# Staff act as a customer to see what the customer sees. The list of users and each order in the admin lead there.
support_urlpatterns = [path("support-access/", include("logto_auth.impersonation.urls"))]
if settings.HAS_BRANCH_CONSOLE:
    urlpatterns += console_urlpatterns
if settings.HAS_API_KEYS:
    urlpatterns += api_key_urlpatterns
if settings.HAS_SUPPORT_ACCESS:
    urlpatterns += support_urlpatterns

# Agents call the shop at `/mcp`.
if settings.HAS_MCP:
    urlpatterns.append(path("", include("bookstore.agents.urls")))

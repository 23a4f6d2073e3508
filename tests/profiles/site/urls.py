from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("", views.home, name="home"),
    path("members/", views.members, name="members"),
    path("write/", views.write, name="write"),
    path("stock/", views.stock, name="stock"),
    path("editors/", views.editors, name="editors"),
    path("recent/", views.recent, name="recent"),
    path("shop-token/", views.api_token, name="api-token"),
    path("branches/<str:organization_id>/", views.home, name="branch"),
    path("api/books/", views.books, name="api-books"),
    path("api/shelves/", views.Shelves.as_view(), name="api-shelves"),
    path("api/branches/<str:organization_id>/stock/", views.branch_stock, name="api-stock"),
    path("admin/", admin.site.urls),
]

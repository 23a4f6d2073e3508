from django.urls import path

from . import views

app_name = "branches"
urlpatterns = [
    path("", views.BranchList.as_view(), name="list"),
    path("stock/", views.own_stock, name="own-stock"),
    path("<organization_id>/stock/", views.StockPage.as_view(), name="stock"),
    path("<organization_id>/stock/<slug:slug>/", views.change_copies, name="change-copies"),
]

from django.conf import settings
from django.urls import path

from . import views

app_name = "orders"
urlpatterns = [
    path("basket/", views.BasketPage.as_view(), name="basket"),
    path("basket/<slug:slug>/add/", views.add_to_basket, name="add-to-basket"),
    path("basket/<slug:slug>/", views.change_basket, name="change-basket"),
    path("checkout/", views.Checkout.as_view(), name="checkout"),
    path("orders/", views.OrderList.as_view(), name="list"),
    path("orders/<int:pk>/", views.OrderDetail.as_view(), name="detail"),
]
# The export requires a second factor, which a site can check only with the setting.
export_urlpatterns = [
    path("orders/export/", views.ExportPage.as_view(), name="export"),
    path("orders/export.csv", views.ExportFile.as_view(), name="export-file"),
]
if settings.LOGTO_SECOND_FACTOR:
    urlpatterns += export_urlpatterns

from django.urls import path

from . import views

app_name = "account"
urlpatterns = [path("claims", views.ClaimsPage.as_view(), name="claims")]

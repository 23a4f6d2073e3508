from django.urls import include, path
from django.views.generic import TemplateView
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

from .books import BookViewSet
from .branches import BranchStock, BranchStockList
from .orders import OrderViewSet

router = SimpleRouter(use_regex_path=False)
router.register("books", BookViewSet)
router.register("orders", OrderViewSet)

app_name = "api"
urlpatterns = [
    path("", include(router.urls)),
    path("branches/<str:organization_id>/stock/", BranchStockList.as_view(), name="stock-list"),
    path("branches/<str:organization_id>/stock/<slug:slug>/", BranchStock.as_view(), name="stock-detail"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", TemplateView.as_view(template_name="api/docs.html"), name="docs"),
]

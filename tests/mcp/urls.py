"""The site of the tests: the views of the package. The MCP servers are beside Django."""

from django.urls import include, path

urlpatterns = [path("", include("logto_auth.urls"))]

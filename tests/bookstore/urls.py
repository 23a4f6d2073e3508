"""The URLs of the bookstore with the console of branches and the MCP endpoint, as in the demo."""

from importlib.util import find_spec

from django.urls import include, path

from bookstore.urls import console_urlpatterns
from bookstore.urls import urlpatterns as shop

urlpatterns = [*shop, *console_urlpatterns]
if find_spec("django_mcpz"):
    urlpatterns.append(path("", include("bookstore.agents.urls")))

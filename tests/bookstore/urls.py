"""The URLs of the bookstore as in the demo, with the console of branches, API keys, support access and MCP."""

from importlib.util import find_spec

from django.urls import include, path

from bookstore.urls import api_key_urlpatterns, console_urlpatterns, support_urlpatterns
from bookstore.urls import urlpatterns as shop

urlpatterns = [*shop, *console_urlpatterns, *api_key_urlpatterns, *support_urlpatterns]
if find_spec("django_mcpz"):
    urlpatterns.append(path("", include("bookstore.agents.urls")))

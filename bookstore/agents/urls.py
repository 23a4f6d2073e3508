"""The URL of the MCP endpoint. It is also the indicator of its API resource at Logto, so it has no slash at its end."""

from django.urls import path

from . import tools  # noqa: F401 - registers the tools
from .server import server

app_name = "agents"
urlpatterns = [path("mcp", server, name="mcp")]

"""The MCP server of the shop, and what it requires of each call."""

from django.conf import settings
from django_mcpz.server import MCPServer

from logto_auth.contrib.mcp import logto_mcp

# The server itself requires only the first permission. The tools require the others, when they are called.
# A machine-to-machine application has no user, so it has no orders.
MCP = logto_mcp("mcp:tools", resource=settings.MCP_URL, accepts_machines=False, accepts_api_keys=True)

server = MCPServer(
    name="bookstore",
    title="Bookstore",
    version="1",
    instructions="Search the books of the shop, read the orders of the user, and add copies to the stock.",
    auth=MCP,
)

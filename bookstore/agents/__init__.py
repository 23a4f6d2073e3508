"""What agents can do in the shop: the tools of its MCP endpoint."""

"""Find out whether MCP clients can use an MCP server: let the official client try it, as far as the operator wants.

`client` runs the client of the package `mcp`, and records what it and the servers say. The other modules read the
record, and do not need the package.
"""

from .examination import examine_mcp

__all__ = ["examine_mcp"]

"""Find out whether MCP clients can use an MCP server: the official client tries it.

`client` runs the client of the package `mcp`, and records what it and the servers say. The other modules read the
record, and do not need the package.
"""

from .examination import examine_mcp

__all__ = ["examine_mcp"]

"""The tools over http, for programs that speak the Model Context Protocol (MCP)."""

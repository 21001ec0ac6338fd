"""Tools of MCP servers, with real servers made by the SDK."""

"""A server of the Model Context Protocol (MCP): what the commands do, as tools of any agent's."""

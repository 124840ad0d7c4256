"""The plugin of Claude Code: what its slash commands do, and (in `claude/`) the plugin itself."""

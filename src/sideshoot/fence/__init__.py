"""A fence around an agent: outside of its workspace nothing is written."""

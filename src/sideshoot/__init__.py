"""Let any coding agent try a task in a disposable copy of a repository, and keep what you want."""

__version__ = "0.1.0"

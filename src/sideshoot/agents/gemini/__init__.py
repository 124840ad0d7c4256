"""Gemini CLI, through `gemini -o stream-json`: a task on its standard input, events in lines.

What is used here was tried with Gemini CLI 0.61.0. Its other way, the Agent Client Protocol, can't
go on with a conversation there, and mishandles new files.
"""

from sideshoot.agents.gemini.agent import GeminiAgent

__all__ = ["GeminiAgent"]

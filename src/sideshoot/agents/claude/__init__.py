"""Claude Code, through `claude -p` with streams of JSON and its control protocol.

The messages are those of Anthropic's Agent SDK; what is used here was tried with Claude Code
2.1.197. Claude Code has no sandbox that would be in force here: it asks before what it may not do
unasked, and `policy` answers.
"""

from sideshoot.agents.claude.agent import ClaudeAgent

__all__ = ["ClaudeAgent"]

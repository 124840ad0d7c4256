"""A session, which is Claude Code's word for a conversation: how one is begun, or gone on with."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from sideshoot.agents.claude.control import PROGRAM
from sideshoot.agents.claude.home import claude_home
from sideshoot.agents.claude.policy import forbidden_tools, settings

if TYPE_CHECKING:
    from pathlib import Path

    from sideshoot.agents.base import Task

STREAMS = (
    "-p",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
)


def command_of(task: Task) -> list[str]:
    """The argument list for a task. Values are joined to their options: they may begin with `-`."""
    command = [PROGRAM, *STREAMS, "--include-partial-messages", "--permission-mode=default"]
    command.append(f"--disallowedTools={','.join(forbidden_tools(task))}")
    if task.read_only:
        # The tools of servers are the user's to allow, and nobody knows what they do.
        command += [f"--settings={json.dumps(settings(task))}", "--strict-mcp-config"]
    if task.top != task.folder:
        command.append(f"--add-dir={task.top}")
    if task.model:
        command.append(f"--model={task.model}")
    if task.effort:
        command.append(f"--effort={task.effort}")
    if task.output_schema:
        command.append(f"--json-schema={json.dumps(task.output_schema)}")
    if task.ephemeral:
        command.append("--no-session-persistence")
    if task.thread_id:
        command.append(f"--resume={_whereabouts(task.thread_id)}")
    return command


def _whereabouts(session_id: str) -> str:
    """The session's file, if it is found; else its id.

    By its id Claude Code 2.1.197 finds a session of another worktree only while that worktree is
    there; the workspace that it was begun in is mostly gone. The file it takes from anywhere.
    """
    return str(file_of(session_id) or session_id)


def file_of(session_id: str) -> Path | None:
    """The file that holds the session of this id, whichever folder it began in."""
    if os.sep in session_id or "\0" in session_id:
        return None
    files = [project / f"{session_id}.jsonl" for project in projects()]
    found = [file for file in files if file.is_file()]
    return max(found, key=lambda file: file.stat().st_mtime, default=None)


def projects() -> list[Path]:
    """The folders in which Claude Code keeps its sessions, one for each folder that they began in."""
    try:
        return list((claude_home() / "projects").iterdir())
    except OSError:
        return []

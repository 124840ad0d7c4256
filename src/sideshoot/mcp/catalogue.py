"""The tools: their names, what they say of themselves, and where each is done.

What is said here is for a model that has to choose, and for a person who has to allow it. Nothing
that does anything is loaded to say it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sideshoot.mcp.records import DIFF, JOB, JOBS, LOG, LONG_JOB, record
from sideshoot.mcp.schemas import Schema, arguments, choice, flag, number, numbers, text, texts


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    title: str
    description: str
    place: str
    """The function that does it, as `module:name`."""
    input: Schema
    output: Schema | None
    """What its records are; `None` where it answers with text."""
    hints: dict[str, bool] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)
    """What is for certain clients only."""

    @property
    def fields(self) -> dict[str, Any]:
        """The tool as `tools/list` shows it."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": self.input,
            **({"outputSchema": self.output} if self.output else {}),
            "annotations": {"title": self.title, **self.hints},
            **({"_meta": self.meta} if self.meta else {}),
        }


_LOOKS = {"readOnlyHint": True, "openWorldHint": False}
_CHANGES = {"readOnlyHint": False, "destructiveHint": True, "openWorldHint": False}

_FOLDER = text(
    "A folder of the repository that is meant; left out, the one that the client works in."
)
_JOB = text(
    "The job: its id or the unique beginning of it; left out, the one that can be meant, of those "
    "that this client began if there are any."
)
_PATHS = "relative to `folder`; left out, everything."

_RUN = Tool(
    "run",
    "Let an agent work in a copy",
    "Let a coding agent, or any command, work on a task in a disposable copy of the repository, "
    "uncommitted changes included. The user's own files, index and branches are not touched: `diff` "
    "shows what it did, and `keep` brings it in once the user wants that. Give `task` or `command`. "
    "The call returns when the job has finished, which may take many minutes; with `background` it "
    "returns at once, and `wait` waits. If this call is stopped, the job is stopped and its work "
    "saved; if it times out or the client goes away, the job goes on, and `wait` finds it.",
    "sideshoot.mcp.running:run",
    arguments(
        {
            "task": text("The task in words. It reaches the agent exactly as it is given."),
            "command": texts("Instead of a task: a program and its arguments.", minItems=1),
            "folder": _FOLDER,
            "agent": text(
                "Who does the task, such as codex, claude, gemini or opencode; left out, whoever is "
                "configured, else the first that is installed."
            ),
            "model": text("The agent's model."),
            "effort": text("The agent's reasoning effort."),
            "agent_mode": text("One of the agent's own modes, such as plan."),
            "background": flag("Return at once; the job goes on."),
            "read_only": flag("Look at the user's own tree without writing: for questions."),
            "carry": choice(
                "Which uncommitted changes the copy starts with; all if left out.",
                "all",
                "tracked",
                "none",
            ),
            "isolation": choice(
                "The kind of copy: a linked worktree, or a clone with a repository of its own.",
                "worktree",
                "clone",
            ),
            "base": text("Start from this commit instead of HEAD."),
            "sparse": texts("Have only these folders in the copy, and the files above them."),
            "sandbox": choice(
                "Hold the work inside a fence: write to the copy alone, or offline as well.",
                "write",
                "offline",
            ),
            "from_review": text(
                "The task is what this review found; `last` is the latest that found something."
            ),
            "findings": numbers("Only these findings of the review, by their numbers."),
            "resume": text("Go on with the thread of this job; `last` is the latest of yours."),
            "timeout": text("End it after this long: 30s, 10m, 2h, or off."),
            "idle_timeout": text("End it after this long without a sign of life."),
            "output_limit": text("End it after this much output: 500K, 10M, or off."),
            "name": text("A name for the job, shown in lists."),
        }
    ),
    JOB,
    {"readOnlyHint": False, "destructiveHint": False, "openWorldHint": True},
)

_REVIEW = Tool(
    "review",
    "Have a change reviewed",
    "Have a coding agent review a change without leave to write anything, and get its findings. "
    "Without an argument that says which change, it is all that is uncommitted, or if nothing is, what "
    "the branch has and its base has not. Show the findings in their order and let the user choose; "
    "`run` with `from_review` lets an agent mend them. Like `run`, it may take many minutes.",
    "sideshoot.mcp.running:review",
    arguments(
        {
            "folder": _FOLDER,
            "base": text("What HEAD has since it left this branch."),
            "scope": choice(
                "What is uncommitted, or the branch; auto: whichever there is.",
                "auto",
                "working-tree",
                "branch",
            ),
            "commit": text("What this commit changed."),
            "pr": number("This pull request, by GitHub's gh.", minimum=1),
            "job": text("What this job did: is it worth keeping?"),
            "paths": texts(f"Only what changed at these paths, {_PATHS}"),
            "adversarial": flag("Try to break the confidence in the change."),
            "focus": text("What an adversarial review looks at above all, in the user's words."),
            "agent": text(
                "Who does it; left out, whoever is configured, else the first installed."
            ),
            "model": text("The agent's model."),
            "effort": text("The agent's reasoning effort."),
            "background": flag("Return at once; the review goes on."),
            "timeout": text("End it after this long: 30s, 10m, 2h, or off."),
            "name": text("A name for the job, shown in lists."),
        }
    ),
    JOB,
    {"readOnlyHint": True, "openWorldHint": True},
)

_STATUS = Tool(
    "status",
    "Show jobs",
    "Show what is running and what waits for a decision; with `job`, all about that job and the last "
    "things that happened in it.",
    "sideshoot.mcp.looking:status",
    arguments({"job": _JOB, "all": flag("All jobs, however old."), "folder": _FOLDER}),
    LONG_JOB,
    _LOOKS,
)

_WAIT = Tool(
    "wait",
    "Wait for jobs",
    "Wait until jobs have finished, and tell what came of each; `result` then says more. They go on "
    "whether or not somebody waits.",
    "sideshoot.mcp.running:wait",
    arguments(
        {
            "jobs": texts("Their ids; left out, every job that is running."),
            "any": flag("Return as soon as one of them has finished."),
            "timeout": text("Wait no longer than this: 30s, 10m."),
            "folder": _FOLDER,
        }
    ),
    JOBS,
    _LOOKS,
)

_LOGS = Tool(
    "logs",
    "Show what happened in a job",
    "Show the events of a job, the latest if there are many: what the agent said, ran and edited.",
    "sideshoot.mcp.looking:logs",
    arguments(
        {
            "job": _JOB,
            "after": number("Only events with a greater `seq` than this.", minimum=0),
            "limit": number("No more events than this; 100 if left out.", minimum=1),
            "folder": _FOLDER,
        }
    ),
    LOG,
    _LOOKS,
)

_RESULT = Tool(
    "result",
    "Show what came of a job",
    "Show what came of a finished job: the agent's last message word for word, what it changed, and "
    "the commands for a person that make sense now.",
    "sideshoot.mcp.looking:result",
    arguments({"job": _JOB, "folder": _FOLDER}),
    JOB,
    _LOOKS,
)

_DIFF = Tool(
    "diff",
    "Show what a job changed",
    "Show what a job changed against what it started from: the files, and the patch as far as it fits "
    "(a resource holds the whole of it).",
    "sideshoot.mcp.looking:diff",
    arguments(
        {
            "job": _JOB,
            "paths": texts(f"Only what changed at these paths, {_PATHS}"),
            "stat": flag("Only the files and how much changed in each; no patch."),
            "folder": _FOLDER,
        }
    ),
    DIFF,
    _LOOKS,
)

_KEEP = Tool(
    "keep",
    "Bring a job's changes in",
    "Bring a job's changes, or those at `paths`, into the user's working tree and index: all of it or "
    "nothing. Where the user has changed the same place meanwhile, nothing is written and the paths "
    "are listed. `undo` takes it back. Call it only if the user wants the changes.",
    "sideshoot.mcp.deciding:keep",
    arguments(
        {
            "job": _JOB,
            "paths": texts(f"Only what changed at these paths, {_PATHS}"),
            "dry_run": flag("Say what would happen; change nothing."),
            "no_stage": flag("Leave the index as it is."),
            "commit": flag("Commit what is kept, and nothing else."),
            "message": text("The message of that commit."),
            "branch": text("Make a branch of this name of the result instead; touch no file."),
            "conflicts": choice(
                "Where both changed the same place: stop (if left out), write conflict markers, take "
                "ours (what the user has) or theirs (the job's).",
                "stop",
                "markers",
                "ours",
                "theirs",
            ),
            "ignored": texts("Ignored paths to bring as well."),
            "folder": _FOLDER,
        }
    ),
    record({"job_id": {"type": "string"}}),
    _CHANGES,
)

_DISCARD = Tool(
    "discard",
    "Drop jobs",
    "Drop jobs that nobody wants: their copies go at once; what they held can be restored for a while "
    "with `sideshoot restore`. Call it only if the user wants that.",
    "sideshoot.mcp.deciding:discard",
    arguments(
        {
            "jobs": texts("Their ids; left out, the one that can be meant."),
            "folder": _FOLDER,
        }
    ),
    record({"discarded": {"type": "array"}, "failed": {"type": "array"}}),
    {**_CHANGES, "idempotentHint": True},
)

_UNDO = Tool(
    "undo",
    "Take a keep back",
    "Take the last keep of a job back: files and index become what they were before it. What the user "
    "changed since stays.",
    "sideshoot.mcp.deciding:undo",
    arguments({"job": _JOB, "folder": _FOLDER}),
    record({"job_id": {"type": "string"}, "files": {"type": "array"}}),
    _CHANGES,
)

_CANCEL = Tool(
    "cancel",
    "Stop a running job",
    "Stop a running job and everything that it started; what it has done so far is saved. Without "
    "`job` only one that this client began can be meant.",
    "sideshoot.mcp.deciding:cancel",
    arguments({"job": _JOB, "folder": _FOLDER}),
    JOB,
    _CHANGES,
)

TOOLS = {
    tool.name: tool
    for tool in (
        _RUN, _REVIEW, _STATUS, _WAIT, _LOGS, _RESULT, _DIFF, _KEEP, _DISCARD, _UNDO, _CANCEL,
    )
}  # fmt: skip

SLASH_COMMAND = Tool(
    "slash_command",
    "Carry out a slash command",
    "Carry out a slash command of Sideshoot's that the user has typed, such as /sideshoot:rescue. Call "
    "it only where the text of such a command tells you to. The answer is for the user: show it word "
    "for word, as Markdown.",
    "sideshoot.plugin.slash:slash_command",
    arguments(
        {
            "request": text(
                "The id that was told along with the slash command. What the user typed is held under "
                "it, word for word."
            ),
            "command": choice(
                "Only if no id was told: the command's name. What decides about a job can't be had so.",
                "rescue",
                "review",
                "adversarial-review",
            ),
            "words": text(
                "Only if no id was told: all that the user typed after the name, exactly as it stands."
            ),
            "thread": choice(
                "What the user answered when you had to ask them: go on with the thread, or start a "
                "new one.",
                "resume",
                "fresh",
            ),
            "from_review": text(
                "The review whose findings are the task, if the user chose that when you had to ask."
            ),
        }
    ),
    None,
    {"readOnlyHint": False, "destructiveHint": True, "openWorldHint": True},
    # So that Claude Code does not cut what is to be shown word for word.
    {"anthropic/maxResultSizeChars": 500_000},
)
"""For the plugin of Claude Code alone."""

INSTRUCTIONS = """\
Sideshoot lets a coding agent try a task in a disposable copy of the user's repository. `run` starts a \
job; nothing of the user's changes. Show what came of it (`result`, `diff`), and let the user decide: \
`keep` brings the changes into their tree, `discard` drops them, `undo` takes a keep back. Give tasks \
in the user's own words, and answers of the agent word for word. Where a client allows calls only little \
time, give `background` and then call `wait`.
"""

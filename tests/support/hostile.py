"""Settings of users under which naive git calls go wrong."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_HOOKS = (
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-rewrite",
    "pre-auto-gc",
    "pre-commit",
    "prepare-commit-msg",
    "reference-transaction",
)


@dataclass(frozen=True)
class Setting:
    """Git configuration that somebody has; `{tools}` in a value is the folder of `make_tools`."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)
    attributes: str = ""
    """What the user's own attributes file says."""

    def install(self, tools: Path) -> None:
        """Put it into the user's configuration."""
        for key, value in self.values.items():
            configure(key, value.format(tools=tools))
        if self.attributes:
            place = tools / "attributes"
            place.write_text(self.attributes)
            configure("core.attributesFile", str(place))


SETTINGS = (
    Setting("calm"),
    Setting("apply.whitespace=error", {"apply.whitespace": "error"}),
    Setting("apply.whitespace=fix", {"apply.whitespace": "fix"}),
    Setting("branch.autoSetupMerge=always", {"branch.autoSetupMerge": "always"}),
    Setting(
        "color=always", {"color.ui": "always", "color.diff": "always", "color.status": "always"}
    ),
    Setting("commit.gpgsign", {"commit.gpgSign": "true", "gpg.program": "{tools}/broken"}),
    Setting("core.fileMode=true", {"core.fileMode": "true"}),
    Setting("core.fsmonitor", {"core.fsmonitor": "{tools}/broken"}),
    Setting("core.hooksPath", {"core.hooksPath": "{tools}/hooks"}),
    Setting("core.pager", {"core.pager": "{tools}/prints", "pager.diff": "{tools}/prints"}),
    Setting("core.quotePath=false", {"core.quotePath": "false"}),
    Setting("core.splitIndex", {"core.splitIndex": "true"}),
    Setting("core.untrackedCache", {"core.untrackedCache": "true"}),
    Setting("diff.algorithm", {"diff.algorithm": "histogram", "diff.interHunkContext": "9"}),
    Setting("diff.context=0", {"diff.context": "0"}),
    Setting("diff.external prints", {"diff.external": "{tools}/prints"}),
    Setting("diff.external silent", {"diff.external": "{tools}/silent"}),
    Setting("diff.ignoreSubmodules=all", {"diff.ignoreSubmodules": "all"}),
    Setting("diff.mnemonicPrefix", {"diff.mnemonicPrefix": "true", "diff.relative": "true"}),
    Setting("diff.noprefix", {"diff.noprefix": "true"}),
    Setting("diff.orderFile", {"diff.orderFile": "{tools}/order"}),
    Setting("diff.renames=copies", {"diff.renames": "copies", "status.renames": "copies"}),
    Setting("diff.renames=false", {"diff.renames": "false", "merge.renames": "false"}),
    Setting("diff.submodule=log", {"diff.submodule": "log"}),
    Setting("diff.wordRegex", {"diff.wordRegex": ".", "diff.wsErrorHighlight": "all"}),
    Setting("index.threads", {"index.threads": "1", "index.version": "4"}),
    Setting("merge.conflictStyle=diff3", {"merge.conflictStyle": "diff3", "merge.ff": "only"}),
    Setting("merge.directoryRenames", {"merge.directoryRenames": "true"}),
    Setting("no identity", {"user.name": "", "user.email": "", "user.useConfigOnly": "true"}),
    Setting("prefixes", {"diff.srcPrefix": "x/y/", "diff.dstPrefix": "z/"}),
    Setting("status hides", {"status.showUntrackedFiles": "no", "status.relativePaths": "false"}),
    Setting(
        "textconv",
        {"diff.upper.textconv": "tr a-z A-Z <", "diff.upper.cachetextconv": "false"},
        "*.py diff=upper\n",
    ),
    Setting(
        "merge driver",
        {"merge.union2.driver": "{tools}/broken %O %A %B", "merge.default": "union2"},
    ),
    Setting("aliases", {"alias.diff": "!{tools}/broken", "alias.status": "!{tools}/broken"}),
)
"""None of these may change what is kept: bytes, modes and index stay the same under each."""

ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "GIT_INDEX_FILE": {"GIT_INDEX_FILE": "{top}/.git/index"},
    "GIT_DIR": {"GIT_DIR": "{top}/.git"},
    "GIT_DIR and GIT_WORK_TREE": {"GIT_DIR": "{top}/.git", "GIT_WORK_TREE": "{top}"},
    "GIT_EXTERNAL_DIFF": {"GIT_EXTERNAL_DIFF": "{tools}/silent"},
    "GIT_PAGER": {"GIT_PAGER": "{tools}/broken", "PAGER": "{tools}/broken"},
    "GIT_LITERAL_PATHSPECS": {"GIT_LITERAL_PATHSPECS": "1", "GIT_ICASE_PATHSPECS": "1"},
    "GIT_TRACE": {"GIT_TRACE": "1", "GIT_TRACE2": "1"},
    "GIT_OBJECT_DIRECTORY": {"GIT_OBJECT_DIRECTORY": "{tools}/objects"},
    "GIT_CONFIG_PARAMETERS": {"GIT_CONFIG_PARAMETERS": "'core.bare=true' 'diff.noprefix=true'"},
    "GIT_NAMESPACE": {"GIT_NAMESPACE": "elsewhere", "GIT_PREFIX": "src/"},
    "language": {"LANG": "de_DE.UTF-8", "LANGUAGE": "de", "LC_ALL": "de_DE.UTF-8"},
    "no UTF-8": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
"""Variables such as a git hook, an editor or a shell may have set; `{top}` is the repository."""


def make_tools(folder: Path) -> Path:
    """Programs that print, that say nothing, and that fail; failing hooks; an order file."""
    folder.mkdir(parents=True, exist_ok=True)
    _program(folder / "prints", "echo noise; echo more noise")
    _program(folder / "silent", "exit 0")
    _program(folder / "broken", "echo broken >&2; exit 3")
    (folder / "hooks").mkdir(exist_ok=True)
    for hook in _HOOKS:
        _program(folder / "hooks" / hook, f"echo {hook} fails >&2; exit 1")
    (folder / "order").write_text("*.txt\n*\n")
    (folder / "objects").mkdir(exist_ok=True)
    return folder


def configure(key: str, value: str) -> None:
    """Set a key in the user's (global) configuration."""
    place = os.environ["GIT_CONFIG_GLOBAL"]
    subprocess.run(["git", "config", "--file", place, key, value], check=True, timeout=60)


def _program(place: Path, script: str) -> None:
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)

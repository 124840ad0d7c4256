"""A stand-in for GitHub: its command `gh`, and a repository that holds pull requests."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.repos import Repo

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

URL = "https://github.example/garden/shed"

_PROGRAM = """\
#!{python}
import json, sys
facts = json.loads(open({facts!r}).read())
if sys.argv[1:3] != ["pr", "view"] or sys.argv[4] != "--json":
    sys.exit(f"unexpected: {{sys.argv}}")
if sys.argv[3] not in facts:
    sys.exit("GraphQL: Could not resolve to a PullRequest with the number of " + sys.argv[3])
print(json.dumps({{name: facts[sys.argv[3]][name] for name in sys.argv[5].split(",")}}))
"""


@dataclass
class GitHub:
    """One repository there, with a clone of it as `repo`'s remote `origin`."""

    remote: Repo
    facts: Path

    @classmethod
    def set_up(cls, repo: Repo, folder: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
        """Put `gh` on PATH; what is fetched from GitHub's URL comes from a folder."""
        remote = Repo(folder / "github")
        repo.git("clone", "-q", "--bare", str(repo.top), str(remote.top))
        repo.git("remote", "add", "origin", f"{URL}.git")
        repo.git("config", f"url.{remote.top}.insteadOf", f"{URL}.git")
        repo.git("fetch", "-q", "origin")
        facts = folder / "pulls.json"
        facts.write_text("{}")
        programs = folder / "gh-bin"
        programs.mkdir()
        (programs / "gh").write_text(_PROGRAM.format(python=sys.executable, facts=str(facts)))
        (programs / "gh").chmod(0o755)
        monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
        return cls(remote, facts)

    def open_pull_request(self, number: int, *, base: str, head: str, title: str = "weed") -> None:
        """A pull request of two commits that are there."""
        self.remote.git("update-ref", f"refs/pull/{number}/head", head)
        known = json.loads(self.facts.read_text())
        known[str(number)] = {
            "number": number,
            "title": title,
            "url": f"{URL}/pull/{number}",
            "baseRefName": "main",
            "baseRefOid": base,
            "headRefOid": head,
        }
        self.facts.write_text(json.dumps(known))

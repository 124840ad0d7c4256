"""The change that a pull request makes, fetched without touching any ref of the user's.

GitHub's own command, gh(1), says what the pull request is; git fetches it. Both commits lie under
refs of ours until the review holds them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sideshoot.errors import CannotStart, GitError
from sideshoot.review.sides import Sides, merge_base, release
from sideshoot.workspace.refs import NAMESPACE

if TYPE_CHECKING:
    from sideshoot.git import Repository

_LOOK_S = 60.0
_FIELDS = ("number", "title", "url", "baseRefName", "baseRefOid", "headRefOid")
_SCP = re.compile(r"(?:[^@/]+@)?([^:/]+):(.+)")


def fetched(repository: Repository, number: int) -> Sides:
    """Both sides of pull request `number`.

    :raises CannotStart: gh is missing or fails, or the commits can't be fetched.
    """
    facts = _asked(repository, number)
    prefix = f"{NAMESPACE}pull/{number}"
    refs = (f"{prefix}/base", f"{prefix}/head")
    _fetch(repository, facts, prefix)
    base, head = (repository.resolve(ref) for ref in refs)
    assert base is not None
    assert head is not None
    before = merge_base(repository, base, head)
    if before is None:
        release(repository, refs)
        raise CannotStart(
            f"pull request #{number} and {facts['baseRefName']} have no commit in common here; if "
            "this is a shallow clone, `git fetch --unshallow` brings the rest"
        )
    return Sides(
        what=f"pull request #{number}",
        before=before,
        after=head,
        why_nothing=f"pull request #{number} changes no file",
        notes=(f"pull request #{number}: {facts['title']}",),
        has_messages=True,
        refs=refs,
    )


def _asked(repository: Repository, number: int) -> dict[str, Any]:
    """What GitHub says of it."""
    program = shutil.which("gh")
    if program is None:
        raise CannotStart(
            "--pr takes GitHub's command gh, which is not installed: https://cli.github.com; or fetch"
            " the branch yourself and use --base"
        )
    argv = [program, "pr", "view", str(number), "--json", ",".join(_FIELDS)]
    try:
        done = subprocess.run(
            argv,
            cwd=repository.top,
            env=os.environ | {"GH_PROMPT_DISABLED": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LOOK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotStart(f"gh can't tell of pull request #{number}: {error}") from None
    if done.returncode:
        raise CannotStart(f"gh can't tell of pull request #{number}: {_reason(done.stderr)}")
    return _facts(done.stdout, number)


def _facts(answer: bytes, number: int) -> dict[str, Any]:
    try:
        facts = json.loads(answer)
        return {name: facts[name] for name in _FIELDS}
    except (ValueError, TypeError, KeyError):
        raise CannotStart(
            f"gh tells of pull request #{number} in a way that is not understood; update gh"
        ) from None


def _reason(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    return next((line for line in lines if line), "it gives no reason")


def _fetch(repository: Repository, facts: dict[str, Any], prefix: str) -> None:
    """Bring both commits, from the very place and not from a remote: that one's refs would move."""
    place = _place(repository, facts["url"])
    head = f"+refs/pull/{facts['number']}/head:{prefix}/head"
    # The base as it was when the pull request was last looked at; its branch may be gone, or have
    # the pull request in it by now.
    bases = [str(facts["baseRefOid"]), f"refs/heads/{facts['baseRefName']}"]
    for left, base in enumerate(bases, 1 - len(bases)):
        try:
            repository.git.run(
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-prune",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--end-of-options",
                place,
                head,
                f"+{base}:{prefix}/base",
            )
        except GitError as error:
            if not left:
                raise CannotStart(
                    f"pull request #{facts['number']} can't be fetched from {place}: {error.reason}"
                ) from None
        else:
            return


def _place(repository: Repository, url: str) -> str:
    """The URL of the remote that the pull request is of, as the user fetches from it."""
    parts = urlsplit(url)
    owner, name = parts.path.strip("/").split("/")[:2]
    wanted = (parts.hostname or "", f"{owner}/{name}".lower())
    answer = repository.git.run(
        "config", "--null", "--get-regexp", r"^remote\..*\.url$", accept=(0, 1)
    )
    for line in answer.lines:
        configured = os.fsdecode(line.partition(b"\n")[2])
        if _host_and_path(configured) == wanted:
            return configured
    return f"https://{parts.netloc}/{owner}/{name}.git"


def _host_and_path(url: str) -> tuple[str, str]:
    """`github.com` and `owner/name`, of `https://github.com/owner/name.git` or `git@github.com:…`."""
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", parts.path
    elif found := _SCP.fullmatch(url):
        host, path = found.groups()
    else:
        return "", ""
    return host.lower(), path.strip("/").removesuffix(".git").lower()

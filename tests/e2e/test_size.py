"""No size stops or shortens anything."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from support.twins import settled

if TYPE_CHECKING:
    from support.command import Command
    from support.repos import Repo

MEGABYTE = 1 << 20


def test_one_large_file_and_large_edits(repo: Repo, sideshoot: Command) -> None:
    repo.write("big.txt", "".join(f"{number}\n" for number in range(400_000)))
    repo.write("big.bin", hashlib.sha256(b"x").digest() * (MEGABYTE // 8))
    repo.commit()
    before = repo.fingerprint()
    job = sideshoot.run(
        "seq 1 3000000 > new.txt; sed -i 's/7$/seven/' big.txt;"
        "head -c 20000000 /dev/zero | tr '\\0' '\\377' > new.bin; head -c 9 big.bin > b; mv b big.bin"
    )
    assert repo.fingerprint() == before
    assert len(job["files"]) == 4
    assert job["insertions"] >= 3_040_000
    sideshoot("keep").ok()
    assert repo.read("new.txt") == "".join(f"{n}\n" for n in range(1, 3_000_001)).encode()
    assert repo.read("new.bin") == b"\xff" * 20_000_000
    assert len(repo.read("big.bin")) == 9
    assert repo.read("big.txt").count(b"seven\n") == 40_000
    assert b"new.bin" in repo.staged()
    sideshoot("undo").ok()
    assert settled(repo.fingerprint()) == settled(before)


def test_thousands_of_small_files(repo: Repo, sideshoot: Command) -> None:
    before = repo.fingerprint()
    job = sideshoot.run(
        "mkdir many; i=0; while [ $i -lt 8000 ]; do echo $i > many/$i; i=$((i+1)); done"
    )
    assert len(job["files"]) == job["insertions"] == 8000
    sideshoot("keep").ok()
    tree, index = repo.tree(), repo.staged()
    for number in range(8000):
        path, content = b"many/%d" % number, b"%d\n" % number
        assert tree[path] == (0o644, content)
        assert index[path] == (0o100644, content)
    sideshoot("undo").ok()
    assert settled(repo.fingerprint()) == settled(before)


def test_thousands_of_long_names_and_empty_files(repo: Repo, sideshoot: Command) -> None:
    name = "n" * 200
    sideshoot.run(
        f"mkdir -p {name}/{name}; cd {name}/{name}; seq -f '{name}%g' 1 3000 | xargs touch"
    )
    sideshoot("keep").ok()
    wanted = {f"{name}/{name}/{name}{n}".encode() for n in range(1, 3001)}
    assert wanted <= repo.tree().keys()
    assert wanted <= repo.staged().keys()


def test_an_agent_that_prints_a_lot(repo: Repo, sideshoot: Command) -> None:
    done = sideshoot(
        "run", "--json", "--", "sh", "-c", "seq 1 2000000; seq 1 200000 >&2; echo x > x"
    )
    assert done.ok().json["files"][0]["path"] == "x"
    assert len(done.stdout) < 2 * MEGABYTE

"""However large a change is, a review of it takes little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from support.repos import Repo

MEGABYTE = 1 << 20
OURS_MB = 80
"""Our own process; it takes 25, most of it Python's."""

_GATHER = """
import json, re, sys
from pathlib import Path
from sideshoot.git import discover
from sideshoot.review.material import gather
from sideshoot.review.target import Wanted, resolve
repository = discover(Path(sys.argv[1]))
target = resolve(repository, Wanted())
material = gather(repository, target, limit=256 * 1024)
# Not what getrusage(2) says, which counts the process that started this one.
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
facts = {"files": len(target.changes), "map": material.map, "diff": len(material.diff)}
print(json.dumps(facts | {"whole": material.is_whole, "left_out": material.left_out, "peak": peak}))
"""


def gathered(top: Path) -> dict[str, Any]:
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells how much memory a process took at most")
    done = subprocess.run(
        [sys.executable, "-c", _GATHER, str(top)], capture_output=True, check=True, timeout=100
    )
    facts = json.loads(done.stdout)
    assert isinstance(facts, dict)
    return facts


def test_five_thousand_files(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5000):
        repo.write(f"src/part_{number % 50}/file_{number}.py", f"number = {number}\n" * 20)
    found = gathered(repo.top)
    with capsys.disabled():
        print(f"\n5,000 files: {found['peak']} MB at most", end=" ")
    assert found["files"] == 5000
    assert not found["whole"]
    assert 4000 < found["left_out"] < 5000
    assert "src/part_7/  100 files, 2000 lines" in found["map"]
    assert 100_000 < found["diff"] <= 128 * 1024
    assert found["peak"] < OURS_MB


def test_three_hundred_megabytes(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    repo.write("small.py", "x = 1\n")
    line = b"a line of many that are all the same\n"
    with repo.place("large.sql").open("wb") as file:
        for _ in range(200):
            file.write(line * (MEGABYTE // len(line)))
    for number in range(125):
        repo.write(f"part_{number:03}.py", f"# {number}\n".encode() + line * 21_000)
    found = gathered(repo.top)
    with capsys.disabled():
        print(f"\n300 MB: {found['peak']} MB at most", end=" ")
    assert found["files"] == 127
    assert "A large.sql  (binary, or very large)" in found["map"]
    assert not found["whole"]
    assert found["diff"] <= 128 * 1024
    assert found["peak"] < OURS_MB

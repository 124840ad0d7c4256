"""What may not be read or written, and a disk that is full: refused with a word, nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.command import Command
from support.processes import await_true
from support.repos import Repo
from support.twins import settled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Result

POWERS = "-dac_override,-dac_read_search,-fowner"
"""What lets root ignore permissions."""


def _without_powers() -> tuple[str, ...] | None:
    """The command before a command that makes permissions count; `None` if there is none."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        return None
    through = ("setpriv", f"--inh-caps={POWERS}", f"--bounding-set={POWERS}")
    works = subprocess.run([*through, "true"], capture_output=True, timeout=60)
    return through if works.returncode == 0 else None


THROUGH = _without_powers()

pytestmark = pytest.mark.skipif(
    THROUGH is None, reason="root ignores permissions here, and setpriv can't change that"
)


class Powerless(Command):
    """`sideshoot` for somebody whom permissions stop."""

    def __call__(self, *argv: str | bytes, **how: object) -> Result:
        how.setdefault("through", THROUGH)
        return super().__call__(*argv, **how)  # type: ignore[arg-type]


@pytest.fixture
def sideshoot(repo: Repo) -> Command:
    return Powerless(repo.top)


@pytest.fixture
def locked() -> Iterator[list[Path]]:
    """Places that a test takes the permissions of; they get them back at the end."""
    places: list[Path] = []
    yield places
    for place in places:
        if place.exists():
            place.chmod(0o755)


def lock(places: list[Path], *more: Path, mode: int = 0o555) -> None:
    for place in more:
        places.append(place)
        place.chmod(mode)


class TestAtTheStart:
    def test_the_git_directory_is_read_only(
        self, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        before = repo.fingerprint()
        lock(locked, repo.git_dir)
        done = sideshoot("run", "--", "touch", "made")
        assert done.status in (1, 3), done
        assert "ermission denied" in done.err
        assert "Traceback" not in done.err
        assert repo.fingerprint() == before
        await_true(lambda: not repo.exists(".worktrees"), "the removal of the folder")

    def test_the_top_folder_is_read_only(
        self, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        before = repo.fingerprint()
        lock(locked, repo.top)
        done = sideshoot("run", "--", "touch", "made")
        repo.top.chmod(0o755)
        assert done.status in (1, 3), done
        assert "ermission denied" in done.err
        assert "Traceback" not in done.err
        assert repo.fingerprint() == before
        assert repo.text("worktree", "list", "--porcelain").count("worktree ") == 1
        assert repo.text("branch", "--list", "sideshoot/*") == ""
        sideshoot.run("touch made")

    def test_a_file_of_the_users_that_cannot_be_read(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("secret.txt", "secret\n", mode=0)
        done = sideshoot("run", "--", "touch", "made")
        done.refused("secret.txt", status=done.status)
        assert done.status in (1, 3)
        assert repo.tree()[b"secret.txt"][0] == 0
        repo.chmod("secret.txt", 0o600)
        assert repo.read("secret.txt") == b"secret\n"


class TestAtCapture:
    def test_a_new_file_that_cannot_be_read_stops_it_and_is_named(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        before = repo.fingerprint()
        script = "echo secret > secret.txt; chmod 0 secret.txt; echo work > work.txt"
        done = sideshoot("run", "--json", "--", "sh", "-c", script)
        assert done.status == 1, done
        assert repo.fingerprint() == before
        said = done.out + done.err
        assert "secret.txt" in said
        workspace = next((repo.top / ".worktrees").iterdir())
        assert (workspace / "work.txt").read_bytes() == b"work\n"
        sideshoot("keep").refused("secret.txt")
        assert repo.fingerprint() == before
        (workspace / "secret.txt").chmod(0o644)
        sideshoot("keep").ok()
        assert repo.read("work.txt") == b"work\n"
        assert repo.read("secret.txt") == b"secret\n"

    def test_a_folder_that_cannot_be_entered(
        self, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        script = "mkdir closed; echo in > closed/in.txt; echo work > work.txt; chmod 0 closed"
        done = sideshoot("run", "--json", "--", "sh", "-c", script)
        workspace = next((repo.top / ".worktrees").iterdir())
        locked.append(workspace / "closed")
        assert done.status == 1, done
        assert "closed" in done.out + done.err
        (workspace / "closed").chmod(0o755)
        sideshoot("keep").ok()
        assert repo.read("closed/in.txt") == b"in\n"
        assert repo.read("work.txt") == b"work\n"

    def test_read_only_folders_are_no_obstacle_to_removal(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        script = "mkdir -p cache/mod; echo go > cache/mod/go.mod; chmod -R a-w cache"
        job = sideshoot.run(script)
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("cache/mod/go.mod") == b"go\n"
        assert not (repo.top / ".worktrees" / job["job_id"]).exists()
        assert repo.text("worktree", "list", "--porcelain").count("worktree ") == 1
        again = sideshoot("keep", job["job_id"])
        assert "kept" in again.out + again.err
        other = sideshoot.run(script.replace("cache", "other"))
        sideshoot("discard", other["job_id"]).ok()
        assert not (repo.top / ".worktrees" / other["job_id"]).exists()

    def test_the_git_directory_becomes_read_only(
        self, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        job = sideshoot.run("echo work > work.txt")
        before = repo.fingerprint()
        lock(locked, repo.git_dir, repo.git_dir / "objects", repo.git_dir / "sideshoot")
        done = sideshoot("keep", job["job_id"])
        assert done.status in (1, 3), done
        assert "Traceback" not in done.err
        assert repo.fingerprint() == before
        for place in locked:
            place.chmod(0o755)
        assert (repo.top / ".worktrees" / job["job_id"] / "work.txt").read_bytes() == b"work\n"
        sideshoot("keep", job["job_id"]).ok()
        assert repo.read("work.txt") == b"work\n"


class TestAtKeep:
    SCRIPT = "echo '# agent' >> app.py; echo a > docs/new.txt; echo b > src/new.py; rm src/beds.py"

    @pytest.mark.parametrize("folder", ["docs", "src", "src/tools"])
    def test_a_read_only_folder_of_the_users(
        self, folder: str, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        sideshoot.run(self.SCRIPT + "; echo c > src/tools/rake.py")
        lock(locked, repo.place(folder))
        before = repo.fingerprint()
        sideshoot("keep").refused(folder)
        assert repo.fingerprint() == before
        repo.place(folder).chmod(0o755)
        sideshoot("keep").ok()
        assert repo.read("docs/new.txt") == b"a\n"
        assert not repo.exists("src/beds.py")

    def test_the_folder_of_the_index_is_read_only(
        self, repo: Repo, sideshoot: Command, locked: list[Path]
    ) -> None:
        sideshoot.run(self.SCRIPT)
        lock(locked, repo.git_dir)
        before = repo.fingerprint()
        sideshoot("keep").refused("ermission denied")
        assert repo.fingerprint() == before
        repo.git_dir.chmod(0o755)
        sideshoot("keep").ok()
        assert repo.read("src/new.py") == b"b\n"

    def test_a_read_only_file_of_the_users_is_replaced_as_git_would(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        sideshoot.run(self.SCRIPT)
        repo.chmod("app.py", 0o444)
        before = repo.fingerprint()
        sideshoot("keep").ok()
        assert repo.read("app.py").endswith(b"# agent\n")
        sideshoot("undo").ok()
        assert settled(repo.fingerprint()) == settled(before)


class TestAFullDisk:
    """A limit on the size of files stops each write that passes it, as a full disk would."""

    LIMIT = ("prlimit", "--fsize=300000")

    @pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit")
    def test_during_keep(self, repo: Repo) -> None:
        sideshoot = Command(repo.top)
        sideshoot.run("echo '# agent' >> app.py; rm docs/guide.txt; seq 1 200000 > big.txt")
        before = repo.fingerprint()
        done = sideshoot("keep", through=self.LIMIT)
        assert done.status == 1, done
        assert "Traceback" not in done.err
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert repo.read("big.txt").endswith(b"\n200000\n")
        assert not repo.exists("docs/guide.txt")

    @pytest.mark.skipif(shutil.which("prlimit") is None, reason="there is no prlimit")
    def test_during_capture(self, repo: Repo) -> None:
        before = repo.fingerprint()
        # The agent lifts its own limit; what it leaves is then too large for us to store.
        script = (
            "ulimit -f unlimited; echo work > work.txt;"
            "head -c 900000 /dev/urandom > big.bin; test $(wc -c < big.bin) = 900000"
        )
        sideshoot = Command(repo.top)
        limit = ("prlimit", "--fsize=300000:unlimited")
        done = sideshoot("run", "--json", "--", "sh", "-c", script, through=limit)
        assert done.status == 1, done
        assert "Traceback" not in done.err
        assert repo.fingerprint() == before
        sideshoot("keep").ok()
        assert len(repo.read("big.bin")) == 900_000
        assert repo.read("work.txt") == b"work\n"

    def test_of_a_small_disk(self, small_disk: Path) -> None:
        repo = Repo.create(small_disk / "r")
        sideshoot = Command(repo.top)
        sideshoot.run("echo '# agent' >> app.py; rm docs/guide.txt; seq 1 200000 > big.txt")
        fill = small_disk / "fill"
        free = os.statvfs(small_disk)
        with fill.open("wb") as file:
            file.write(b"x" * (free.f_bavail * free.f_frsize - 600_000))
        before = repo.fingerprint()
        done = sideshoot("keep")
        assert done.status == 1, done
        assert "can't be written" in done.err
        assert repo.fingerprint() == before
        fill.unlink()
        sideshoot("keep").ok()
        assert repo.read("big.txt").endswith(b"\n200000\n")
        assert not repo.exists("docs/guide.txt")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=8m", "none", str(place))
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, timeout=60).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(("umount", "--lazy", str(place)), check=True, timeout=60)

"""Whatever an agent leaves arrives byte for byte, whatever it is made of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.repos import SYMLINK, Repo
from support.twins import Round, twin_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command

UTF16 = "\ufeffname\r\nbeet\r\n".encode("utf-16-le")
LATIN = "gr\xfcn\nblau\n".encode("latin-1")
BINARY = bytes(range(256)) * 20
NAMES = (
    b"sp ace",
    b" leading and trailing ",
    b"new\nline",
    b"tab\ttab",
    b"quo\"te's",
    b"back\\slash",
    b"-rf",
    b"--help",
    b"$(touch pwned)",
    b"`id`",
    b"glob*?[a]",
    b":(exclude)app.py",
    b"!negated",
    b"#comment",
    "gr\xfcn \u2603 \U0001f331".encode(),
    "e\u0301 decomposed".encode(),
    b"invalid \xff\xfe\x80",
    b"invalid folder \xfa/inner \xfb",
    b"\x01control\x7f",
    b"/".join([b"deep" * 10] * 40) + b"/leaf",
    b"~backup~",
    b"CON",
    b"git~1",
    b".gitmodules.txt",
)


def _texts(twin: Repo) -> None:
    twin.write("app.py", twin.read("app.py").replace(b"line_7 = 7\n", b"line_7 = 'seven'\n"))
    twin.write("docs/guide.txt", "one\ntwo\nthree without an end")
    twin.write("docs/empty", b"")
    twin.write("docs/blank", b" \t \n\n\n  \n")
    twin.write("docs/trailing.txt", b"a  \nb\t\n\n\n")
    twin.write("docs/long.txt", b"x" * 100_000)
    twin.write("lf-to-crlf.txt", b"a\r\nb\r\n")
    twin.write("mixed.txt", b"a\r\nb\nc\rd\r\n\x1a")
    twin.remove("src/tools")


def _swaps(twin: Repo) -> None:
    twin.remove("docs")
    twin.write("docs", "a file where a folder was\n")
    twin.remove("app.py")
    twin.write("app.py/inside.py", "a folder where a file was\n")
    twin.place("src/beds.py").rename(twin.place("SRC-beds.py"))
    twin.place("README.md").rename(twin.place("readme.md"))
    twin.write("copy/of/gitignore", twin.read(".gitignore"))


def _binaries_before(repo: Repo) -> None:
    repo.write("logo.png", b"\x89PNG\r\n\x1a\n" + BINARY)
    repo.write("gone.bin", BINARY)
    repo.write("wide.txt", UTF16)
    repo.write("latin.txt", LATIN + b"context\n" * 20)
    repo.write(".gitattributes", "*.lock -diff\n*.min.js binary\n")
    repo.write("a.lock", "1\n2\n3\n")
    repo.write("b.min.js", "var a=1\n")


def _binaries(twin: Repo) -> None:
    twin.write("logo.png", BINARY[::-1])
    twin.remove("gone.bin")
    twin.write("new.bin", b"\0" + BINARY)
    twin.write("wide.txt", UTF16 + "rose\r\n".encode("utf-16-le"))
    twin.write("latin.txt", b"gelb \xfc\n" + LATIN + b"context\n" * 20 + b"end\n")
    twin.write("new-latin.txt", LATIN)
    twin.write("invalid.txt", b"\xff\xfe\xfd" * 9 + b"\n")
    twin.write("a.lock", "1\n2\n4\n")
    twin.write("b.min.js", "var a=2\n")
    twin.write(".gitattributes", "*.lock -diff\n*.min.js binary\n*.py -diff\n")
    twin.write("src/beds.py", "BEDS = []\n")


def _links_before(repo: Repo) -> None:
    repo.link("to-app", "app.py")
    repo.link("becomes-file", "app.py")
    repo.write("becomes-link", "text\n")
    repo.link("folder-link", "src")


def _links(twin: Repo) -> None:
    for name in ("to-app", "becomes-file", "becomes-link", "folder-link"):
        twin.remove(name)
    twin.link("to-app", "src/beds.py")
    twin.write("becomes-file", "text now\n")
    twin.link("becomes-link", "app.py")
    twin.write("folder-link/real.txt", "a folder now\n")
    twin.link("dangling", "no/such/place")
    twin.link("absolute", "/etc/hostname")
    twin.link("outside", "../..")
    twin.link(b"to invalid", b"\xff\xfe")
    twin.link("loop", "loop")


def _modes_before(repo: Repo) -> None:
    repo.write("run.sh", "#!/bin/sh\n", mode=0o755)
    repo.write("plain.sh", "#!/bin/sh\n")
    repo.write("both.sh", "#!/bin/sh\n")


def _modes(twin: Repo) -> None:
    twin.chmod("run.sh", 0o644)
    twin.chmod("plain.sh", 0o755)
    twin.write("both.sh", "#!/bin/sh\necho\n", mode=0o755)
    twin.write("fresh.sh", "#!/bin/sh\n", mode=0o755)


def _names_before(repo: Repo) -> None:
    for name in NAMES[::2]:
        repo.write(name, b"before\n")


def _names(twin: Repo) -> None:
    for number, name in enumerate(NAMES):
        twin.write(name, b"after %d\n" % number)


def _filters_before(repo: Repo) -> None:
    repo.write(
        ".gitattributes", "*.up filter=rot\n*.w16 working-tree-encoding=UTF-16LE\n*.bat eol=crlf\n"
    )
    repo.git("config", "filter.rot.clean", "tr a-z n-za-m")
    repo.git("config", "filter.rot.smudge", "tr a-z n-za-m")
    repo.git("config", "filter.rot.required", "true")
    repo.write("a.up", "hello\n")
    repo.write("a.w16", "hello\n".encode("utf-16-le"))
    repo.write("a.bat", b"echo\r\n")


def _filters(twin: Repo) -> None:
    twin.write("a.up", "goodbye\n")
    twin.write("b.up", "new\n")
    twin.write("a.w16", "gr\xfcn\n".encode("utf-16-le"))
    twin.write("b.w16", "new\n".encode("utf-16-le"))
    twin.write("a.bat", b"echo\r\nexit\r\n")
    twin.write("b.bat", b"rem\r\n")


def _nothing(repo: Repo) -> None:
    pass


CASES: dict[str, tuple[Callable[[Repo], None], Callable[[Repo], None]]] = {
    "texts": (_nothing, _texts),
    "swaps and renames": (_nothing, _swaps),
    "binaries": (_binaries_before, _binaries),
    "links": (_links_before, _links),
    "modes": (_modes_before, _modes),
    "names": (_names_before, _names),
    "filters": (_filters_before, _filters),
}


@pytest.mark.usefixtures("isolation")
@pytest.mark.parametrize("case", CASES)
def test_what_the_agent_left_arrives(
    case: str, repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    prepare, work = CASES[case]
    prepare(repo)
    repo.commit()
    twin = twin_of(repo, tmp_path / "twin")
    work(twin)
    job = Round(repo, sideshoot, twin).whole()
    assert job["outcome"] == "succeeded"
    assert not (repo.top / "pwned").exists()


@pytest.mark.parametrize("committed", [True, False], ids=["carried as commits", "carried as dirt"])
def test_a_name_that_is_not_text_is_shown_escaped_and_exact(
    repo: Repo, sideshoot: Command, tmp_path: Path, *, committed: bool
) -> None:
    repo.write(b"a\xff", "1\n")
    if committed:
        repo.commit()
    twin = twin_of(repo, tmp_path / "twin")
    twin.write(b"a\xff", "2\n")
    round_ = Round(repo, sideshoot, twin)
    job = round_.run()
    assert job["files"][0]["path"] == "a\\xff"
    assert job["files"][0]["path_base64"] == "Yf8="
    sideshoot("keep").ok()
    assert repo.read(b"a\xff") == b"2\n"


def test_attributes_that_come_with_the_work_leave_a_clean_tree(
    repo: Repo, sideshoot: Command
) -> None:
    sideshoot.run(r"echo '*.txt eol=crlf' > .gitattributes; printf 'a\nb\n' > new.txt")
    sideshoot("keep").ok()
    assert repo.staged()[b"new.txt"] == (0o100644, b"a\nb\n")
    assert repo.read("new.txt") in (b"a\nb\n", b"a\r\nb\r\n")
    assert {record[:5] for record in repo.status().split(b"\0")[:-1]} <= {b"1 A. ", b"1 M. "}


def test_an_executable_bit_arrives_where_git_is_told_to_ignore_it(
    repo: Repo, sideshoot: Command
) -> None:
    repo.write("plain.sh", "#!/bin/sh\n")
    repo.commit()
    repo.git("config", "core.fileMode", "false")
    job = sideshoot.run("chmod +x plain.sh; echo changed >> app.py")
    sideshoot("keep").ok()
    arrived = os.access(repo.place("plain.sh"), os.X_OK)
    named = any("plain.sh" in warning for warning in job["warnings"])
    assert arrived or named, job


def test_links_become_files_where_the_user_has_no_links(repo: Repo, sideshoot: Command) -> None:
    repo.git("config", "core.symlinks", "false")
    sideshoot.run("printf app.py > plain; echo x > other")
    sideshoot("keep").ok()
    assert repo.read("plain") == b"app.py"
    assert repo.staged()[b"plain"] == (0o100644, b"app.py")


class TestIgnored:
    SCRIPT = "mkdir -p build; echo made > build/out; echo noise > run.log; echo KEY=1 > .env"

    def test_outputs_are_listed_and_come_when_asked_for(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        repo.write(".gitignore", "*.log\nbuild/\n.env\n")
        repo.commit()
        job = sideshoot.run(self.SCRIPT + "; echo work > work.txt")
        assert job["ignored"] == {"count": 3, "paths": [".env", "build/", "run.log"]}
        sideshoot("keep", "--ignored", ".env", "--ignored", "build").ok()
        assert repo.read(".env") == b"KEY=1\n"
        assert repo.read("build/out") == b"made\n"
        assert not repo.exists("run.log")
        assert repo.read("work.txt") == b"work\n"
        assert repo.status() == b"1 A. N... 000000 100644 100644 " + b"0" * 40 + b" " + (
            repo.text("rev-parse", ":work.txt").encode() + b" work.txt\0"
        )

    def test_outputs_alone_are_not_called_nothing(self, repo: Repo, sideshoot: Command) -> None:
        job = sideshoot.run("echo noise > run.log")
        assert job["files"] == []
        assert job["ignored"] == {"count": 1, "paths": ["run.log"]}
        said = sideshoot("result").ok()
        assert "run.log" in said.out + said.err
        sideshoot("keep", "--ignored", "run.log").ok()
        assert repo.read("run.log") == b"noise\n"

    def test_the_users_own_are_not_overwritten(self, repo: Repo, sideshoot: Command) -> None:
        repo.write("run.log", "mine\n")
        job = sideshoot.run("echo theirs > run.log; git add -f run.log; git commit -qm log")
        assert [file["path"] for file in job["files"]] == ["run.log"]
        before = repo.fingerprint()
        sideshoot("keep").refused("run.log")
        assert repo.fingerprint() == before
        sideshoot("keep", "--ignored", "run.log").refused("run.log")
        assert repo.read("run.log") == b"mine\n"

    def test_a_list_of_the_users_own_hides_nothing(
        self, repo: Repo, sideshoot: Command, home: Path
    ) -> None:
        (home / "excludes").write_text("*.cache\n")
        repo.git("config", "--global", "core.excludesFile", str(home / "excludes"))
        job = sideshoot.run("echo x > a.cache")
        assert job["ignored"] == {"count": 1, "paths": ["a.cache"]}


def test_what_git_cannot_hold_stops_nothing_else(repo: Repo, sideshoot: Command) -> None:
    before = repo.tree()
    job = sideshoot.run("mkdir empty; mkfifo pipe; echo work > work.txt")
    assert [file["path"] for file in job["files"]] == ["work.txt"]
    sideshoot("keep").ok()
    assert repo.tree() == before | {b"work.txt": (0o644, b"work\n")}


def test_a_link_that_the_user_put_in_the_way_leads_nothing_out_of_the_tree(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    sideshoot.run("echo changed > src/beds.py; echo new > src/new.py")
    repo.place("src").rename(tmp_path / "src")
    repo.link("src", str(outside))
    before = repo.fingerprint()
    sideshoot("keep").refused("src")
    assert repo.fingerprint() == before
    assert list(outside.iterdir()) == []


def test_every_kind_of_change_is_named(repo: Repo, sideshoot: Command) -> None:
    repo.write("old.bin", BINARY)
    repo.write("kind", "text\n")
    repo.commit()
    job = sideshoot.run(
        "echo a > added; echo x >> app.py; rm docs/guide.txt; mv src/beds.py src/rows.py;"
        "chmod +x README.md; rm kind; ln -s app.py kind; printf '\\0' > old.bin"
    )
    found = {file["path"]: file for file in job["files"]}
    assert {path: file["status"] for path, file in found.items()} == {
        "README.md": "mode_changed",
        "added": "added",
        "app.py": "modified",
        "docs/guide.txt": "deleted",
        "kind": "type_changed",
        "old.bin": "modified",
        "src/rows.py": "renamed",
    }
    assert found["src/rows.py"]["old_path"] == "src/beds.py"
    assert (found["app.py"]["insertions"], found["app.py"]["deletions"]) == (1, 0)
    assert found["old.bin"]["binary"] is True
    assert repo.tree()[b"kind"] != (SYMLINK, b"app.py")
    sideshoot("keep").ok()
    assert repo.tree()[b"kind"] == (SYMLINK, b"app.py")

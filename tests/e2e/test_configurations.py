"""The same work arrives, whatever the user's git is told to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.hostile import ENVIRONMENTS, SETTINGS, Setting, configure, make_tools
from support.twins import Round, become, twin_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command
    from support.repos import Repo


def canonical(twin: Repo) -> None:
    """A little of everything that somebody's settings have been seen to spoil."""
    twin.write("new.txt", "top-level\n")
    twin.write("new-dir/new.txt", "nested, with a namesake above\n")
    twin.write(
        "app.py", twin.read("app.py").replace(b"line_9 ", b"LINE_9 ").replace(b"30\n", b"30")
    )
    twin.write("src/app.py", "a namesake of app.py\n")
    twin.place("docs/guide.txt").rename(twin.place("docs/manual.txt"))
    twin.remove("src/tools")
    twin.write("blank.txt", b"trailing  \n\t\n\n\n")
    twin.write(b"invalid \xff.txt", b"gr\xfcn\n")
    twin.write("data.bin", bytes(range(256)))
    twin.write("run.sh", "#!/bin/sh\n", mode=0o755)
    twin.link("link", "run.sh")
    twin.write("README.md", "# Garden\n\n\x1b[31mred\x1b[0m\n")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_no_setting_changes_what_arrives(
    setting: Setting, repo: Repo, sideshoot: Command, tools: Path, tmp_path: Path
) -> None:
    twin = twin_of(repo, tmp_path / "twin")
    canonical(twin)
    setting.install(tools)
    Round(repo, sideshoot, twin).whole()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_variable_changes_what_arrives(
    name: str, repo: Repo, sideshoot: Command, tools: Path, tmp_path: Path
) -> None:
    twin = twin_of(repo, tmp_path / "twin")
    canonical(twin)
    variables = {
        key: value.format(top=repo.top, tools=tools) for key, value in ENVIRONMENTS[name].items()
    }
    Round(repo, sideshoot, twin).whole(env=variables)
    assert list((tools / "objects").iterdir()) == []


def test_an_agent_is_not_led_to_the_users_repository_by_inherited_variables(
    repo: Repo, sideshoot: Command
) -> None:
    before = repo.fingerprint()
    variables = {"GIT_DIR": str(repo.git_dir), "GIT_WORK_TREE": str(repo.top)}
    sideshoot.run("echo work > work.txt; git add -A; git commit -qm work", env=variables)
    assert repo.fingerprint() == before
    sideshoot("keep").ok()
    assert repo.read("work.txt") == b"work\n"


@pytest.mark.parametrize("place", ["repository", "user"])
def test_hooks_that_fail_are_neither_run_nor_in_the_way(
    place: str, repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    tools = make_tools(tmp_path / "tools")
    if place == "user":
        configure("core.hooksPath", str(tools / "hooks"))
    else:
        for hook in (tools / "hooks").iterdir():
            hook.rename(repo.git_dir / "hooks" / hook.name)
    twin = twin_of(repo, tmp_path / "twin")
    canonical(twin)
    Round(repo, sideshoot, twin).whole()


class TestLineEnds:
    @pytest.mark.parametrize("value", ["true", "input"])
    @pytest.mark.parametrize("safe", ["false", "true", "warn"])
    def test_files_of_every_line_end_survive(
        self, value: str, safe: str, repo: Repo, sideshoot: Command
    ) -> None:
        configure("core.autocrlf", value)
        configure("core.safecrlf", safe)
        job = sideshoot.run(
            r"printf 'a\r\nb\nc\n' > mixed.txt; printf 'a\r\nb\r\n' > crlf.txt;"
            r"printf 'a\nb\n' > lf.txt; printf 'a\r\n\0' > data.bin; rm docs/guide.txt"
        )
        assert {file["path"] for file in job["files"]} == {
            "crlf.txt", "data.bin", "docs/guide.txt", "lf.txt", "mixed.txt",
        }  # fmt: skip
        sideshoot("keep").ok()
        assert repo.read("data.bin") == b"a\r\n\0"
        for name in ("mixed.txt", "crlf.txt", "lf.txt"):
            kept = repo.read(name).replace(b"\r\n", b"\n")
            assert kept == (b"a\nb\nc\n" if name == "mixed.txt" else b"a\nb\n")
        assert not repo.exists("docs/guide.txt")

    def test_what_safecrlf_refuses_arrives_as_its_bytes(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        configure("core.autocrlf", "input")
        configure("core.safecrlf", "true")
        job = sideshoot.run(r"printf 'a\r\nb\nc\n' > mixed.txt")
        assert any("mixed.txt" in warning for warning in job["warnings"])
        sideshoot("keep").ok()
        assert repo.read("mixed.txt") == b"a\r\nb\nc\n"

    def test_what_an_encoding_refuses_arrives_as_its_bytes(
        self, repo: Repo, sideshoot: Command
    ) -> None:
        repo.write(".gitattributes", "*.w16 working-tree-encoding=UTF-16\n")
        repo.commit()
        job = sideshoot.run(r"printf 'odd' > bad.w16; echo work > work.txt")
        assert any("bad.w16" in warning for warning in job["warnings"])
        sideshoot("keep").ok()
        assert repo.read("bad.w16") == b"odd"
        assert repo.read("work.txt") == b"work\n"


def test_a_branch_that_is_named_like_our_folder_of_branches(
    repo: Repo, sideshoot: Command, tmp_path: Path
) -> None:
    repo.git("branch", "sideshoot")
    twin = twin_of(repo, tmp_path / "twin")
    canonical(twin)
    Round(repo, sideshoot, twin).whole("git rev-parse HEAD > /dev/null && " + become(twin))
    assert "refs/heads/sideshoot" in repo.refs() or "sideshoot" in repo.text("branch")


def test_an_agent_can_commit_where_the_user_signs_and_has_no_key(
    repo: Repo, sideshoot: Command, tools: Path
) -> None:
    configure("commit.gpgSign", "true")
    configure("gpg.program", str(tools / "broken"))
    job = sideshoot.run("echo work > work.txt; git add -A; git commit -qm work || true")
    assert [file["path"] for file in job["files"]] == ["work.txt"]
    sideshoot("keep").ok()
    assert repo.read("work.txt") == b"work\n"


def test_a_diff_is_a_patch_that_git_takes_under_every_setting(
    repo: Repo, sideshoot: Command, tools: Path, tmp_path: Path
) -> None:
    twin = twin_of(repo, tmp_path / "twin")
    canonical(twin)
    for name in ("color=always", "diff.noprefix", "diff.context=0", "diff.external prints"):
        next(setting for setting in SETTINGS if setting.name == name).install(tools)
    Round(repo, sideshoot, twin).run()
    patch = sideshoot("diff").ok().stdout
    target = twin_of(repo, tmp_path / "target")
    target.git("update-index", "-q", "--refresh")
    target.git("-c", "apply.whitespace=nowarn", "apply", "--index", "-", stdin=patch)
    twin.git("add", "-A")
    assert target.staged() == twin.staged()
    written = tmp_path / "work.patch"
    sideshoot("keep", "--patch", str(written)).ok()
    assert written.read_bytes() == patch

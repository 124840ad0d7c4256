"""What stands in a file of a host: put in, found again, taken out, and never mistaken for somebody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sideshoot.errors import CannotStart
from sideshoot.hosts import notes
from sideshoot.hosts.claude import Claude, settings
from sideshoot.hosts.program import program
from sideshoot.hosts.servers import codex, cursor, gemini
from sideshoot.hosts.worktrees import worktrees

if TYPE_CHECKING:
    from collections.abc import Callable

    from sideshoot.hosts.plan import Plan
    from sideshoot.hosts.registration import Registration

TEXTS = {
    "codex": '# mine\nmodel = "x" # fav\n\n[mcp_servers.o]\ncommand = "y" # c',
    "gemini": '{\n  // mine\n  "mcpServers": {"o": {"command": "y"}} /* c */\n}',
    "cursor": "{}",
    "worktrees": '{"hooks": {\n} }\n',
}
HOSTS: dict[str, Callable[[], Registration]] = {
    "codex": codex,
    "gemini": gemini,
    "cursor": cursor,
    "worktrees": worktrees,
}


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Registration:
    """A host that has settings."""
    made = HOSTS[request.param]()
    made.file.parent.mkdir(parents=True)
    made.file.write_bytes(TEXTS[request.param].encode())
    return made


def act(plan: Plan) -> None:
    assert plan.act is not None, plan.summary
    plan.act()


def test_what_was_put_in_is_taken_out_to_the_byte(host: Registration) -> None:
    before = host.file.read_bytes()
    assert not host.is_installed()

    act(host.install())

    assert host.is_installed()
    assert host.file.read_bytes() != before
    assert host.install().act is None
    act(host.uninstall())
    assert host.file.read_bytes() == before
    assert host.uninstall().act is None
    assert not (Path(os.environ["XDG_STATE_HOME"]) / "sideshoot" / "hosts.json").exists()


def test_a_plan_changes_nothing_by_itself(host: Registration) -> None:
    before = host.file.read_bytes()

    plan = host.install()

    assert host.file.read_bytes() == before
    assert [change.file for change in plan.changes] == [host.file]
    assert plan.changes[0].before == before.decode()


def test_without_a_file_one_is_made_and_goes_with_its_folder() -> None:
    for make in HOSTS.values():
        host = make()
        act(host.install())
        assert host.is_installed()
        assert stat.S_IMODE(host.file.stat().st_mode) == 0o600
        act(host.uninstall())
        assert not host.file.parent.exists()


def test_what_others_changed_meanwhile_stays(host: Registration) -> None:
    act(host.install())
    more = {"codex": "\n[z]\nb = 1\n"}.get(host.name)
    text = host.file.read_text()
    host.file.write_text(text + more if more else text.replace("{", '{"z": 1, ', 1))
    changed = host.form.load(host.file.read_text())

    act(host.uninstall())

    left = host.form.load(host.file.read_text())
    assert left["z"] == changed["z"]
    assert not host.is_installed()
    if host.name == "codex":
        assert host.file.read_text() == TEXTS["codex"] + "\n" + more  # type: ignore[operator]


def test_a_file_of_ours_that_others_use_by_now_stays() -> None:
    host = cursor()
    act(host.install())
    host.file.write_text(host.file.read_text().replace("{\n", '{\n  "other": 1,\n', 1))

    act(host.uninstall())

    assert host.form.load(host.file.read_text()) == {"other": 1}


def test_it_is_taken_out_though_the_notes_are_lost(host: Registration) -> None:
    act(host.install())
    (Path(os.environ["XDG_STATE_HOME"]) / "sideshoot" / "hosts.json").write_text("[broken")

    act(host.uninstall())

    assert not host.is_installed()
    assert "sideshoot" not in host.file.read_text()


def test_an_entry_of_somebody_else_is_left_alone(host: Registration) -> None:
    act(host.install())
    text = host.file.read_text().replace(program()[0], "/opt/other")
    host.file.write_text(text)
    if host.name == "claude-worktrees":
        host.file.write_text(text.replace("hook worktree", "make-worktree"))
    before = host.file.read_bytes()

    with pytest.raises(CannotStart, match="somebody else's"):
        host.install()
    plan = host.uninstall()

    assert plan.act is None
    assert "it stays" in plan.summary
    assert host.file.read_bytes() == before


def test_an_entry_of_the_users_own_will_do_and_stays() -> None:
    host = codex()
    host.file.parent.mkdir()
    text = '[mcp_servers.sideshoot]\ncommand = "sideshoot"\nargs = ["mcp"]\n'
    host.file.write_text(text)

    assert host.is_installed()
    assert host.install().act is None
    assert host.uninstall().act is None


def test_a_sideshoot_that_lies_elsewhere_by_now_is_found_again(host: Registration) -> None:
    act(host.install())
    text = host.file.read_text()
    old = text.replace(program()[0], "/gone/bin/sideshoot").replace('"-P", "-m", "sideshoot", ', "")
    if host.name in ("gemini", "cursor"):
        old = old.replace('"command"', '"trust": true, "command"')
    elif host.name == "codex":
        old += "startup_timeout_sec = 7\n[mcp_servers.sideshoot.env]\nA = '1'\n"
    host.file.write_text(old)
    assert not host.is_installed()

    act(host.install())

    assert host.is_installed()
    found = host.form.load(host.file.read_text())
    assert "/gone" not in host.file.read_text()
    if host.name in ("gemini", "cursor"):
        assert found["mcpServers"]["sideshoot"]["trust"] is True
    elif host.name == "codex":
        assert found["mcp_servers"]["sideshoot"]["env"] == {"A": "1"}
        assert found["mcp_servers"]["sideshoot"]["startup_timeout_sec"] == 7
    act(host.uninstall())
    assert "sideshoot" not in host.file.read_text()


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"= 1", b"[]\n{"])
def test_a_broken_file_gets_one_clear_line_and_is_left_alone(
    host: Registration, content: bytes
) -> None:
    host.file.write_bytes(content)
    for plan in (host.install, host.uninstall):
        with pytest.raises(CannotStart, match="it was left alone") as caught:
            plan()
        assert "\n" not in str(caught.value)
        assert str(host.file) in str(caught.value)
    assert host.file.read_bytes() == content


def test_a_link_stays_a_link_and_the_mode_stays(host: Registration, tmp_path: Path) -> None:
    target = tmp_path / "dots" / "settings"
    target.parent.mkdir()
    host.file.rename(target)
    target.chmod(0o664)
    host.file.symlink_to(target)

    act(host.install())

    assert host.file.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o664
    assert [path.name for path in target.parent.iterdir()] == ["settings"]
    act(host.uninstall())
    assert host.file.is_symlink()
    assert target.read_text() == TEXTS.get(host.name, TEXTS["worktrees"])


def test_what_changes_between_the_question_and_the_answer_is_not_lost(host: Registration) -> None:
    plan = host.install()
    host.file.write_text("")

    with pytest.raises(CannotStart, match="just changed"):
        act(plan)

    assert host.file.read_text() == ""


def test_what_can_not_be_taken_out_by_itself_is_left_to_the_user() -> None:
    host = codex()
    host.file.parent.mkdir()
    text = "mcp_servers = { sideshoot = { command = '/a/sideshoot', args = ['mcp'] }, o = { url = 'x' } }\n"
    host.file.write_text(text)

    with pytest.raises(CannotStart, match="take it out yourself"):
        host.uninstall()

    assert host.file.read_text() == text


def test_the_notes_hold_nothing_of_the_users(host: Registration) -> None:
    host.file.write_text(TEXTS.get(host.name, TEXTS["worktrees"]).replace("mine", "secret-word"))

    act(host.install())

    file = Path(os.environ["XDG_STATE_HOME"]) / "sideshoot" / "hosts.json"
    assert "secret-word" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    note = notes.note_of(host.name, host.file)
    assert note is not None


def test_hosts_look_where_their_variables_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("CODEX_HOME", "GEMINI_CLI_HOME", "CLAUDE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))

    assert codex().file == tmp_path / "CODEX_HOME" / "config.toml"
    assert gemini().file == tmp_path / "GEMINI_CLI_HOME" / ".gemini" / "settings.json"
    assert worktrees().file == tmp_path / "CLAUDE_CONFIG_DIR" / "settings.json"


def test_a_plugin_from_elsewhere_counts_as_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    assert not Claude().is_installed()
    (tmp_path / "settings.json").write_text('{"enabledPlugins": {"sideshoot@sideshoot": true}}')
    assert Claude().is_installed()
    (tmp_path / "settings.json").write_text('{"enabledPlugins": {"sideshoot@sideshoot": false}}')
    assert not Claude().is_installed()


def test_two_that_share_a_file_leave_it_as_it_was_in_any_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    file = tmp_path / "settings.json"
    text = '{\n  "model": "opus", // mine\n  "hooks": {\n    "Stop": []\n  }\n}\n'
    file.write_text(text)
    both = (settings, worktrees)
    for first, second in (both, both[::-1]):
        for leaving in ((first, second), (second, first)):
            act(first().install())
            act(second().install())
            for host in leaving:
                act(host().uninstall())
            assert file.read_text() == text


def test_a_path_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", "/data/\udcff")

    with pytest.raises(CannotStart, match="no UTF-8"):
        settings().install()

"""What a repository's file may not do unasked."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from sideshoot.config import consent, require_consent, withdraw
from sideshoot.errors import CannotStart, ConsentNeeded

if TYPE_CHECKING:
    from pathlib import Path

    from support.sources import Sources


def waiting(sources: Sources, theirs: str, own: str = "", **stored: str) -> list[str]:
    return [item.key for item in sources.say(own, theirs, **stored).untrusted]


@pytest.mark.parametrize(
    ("line", "key", "without"),
    [
        ("workspace.setup = ['make']", "workspace.setup", ()),
        ("notify.command = 'say done'", "notify.command", ""),
        ("run.agent = 'claude'", "run.agent", None),
        ("run.agent_mode = 'build'", "run.agent_mode", None),
        ("sandbox.writable = ['~/.x']", "sandbox.writable", ()),
        ("run.sandbox = 'off'", "run.sandbox", None),
        ("run.sandbox = false", "run.sandbox", None),
        ("worktree.dir = '/somewhere'", "worktree.dir", None),
        ("worktree.dir = '../beside'", "worktree.dir", None),
        ("worktree.dir = '~/copies'", "worktree.dir", None),
        ("gc.max_age_days = 0", "gc.max_age_days", 14),
        ("gc.max_size_mb = 1", "gc.max_size_mb", 5120),
    ],
)
def test_it_is_not_in_force_until_the_user_consents(
    sources: Sources, line: str, key: str, without: object
) -> None:
    config = sources.say(theirs=f"# one\n{line}\n")
    assert [(item.key, item.line) for item in config.untrusted] == [(key, 2)]
    assert config.value(key) == without

    consent(sources.repository, config.untrusted)

    config = sources.say(theirs=f"{line}\n")
    assert config.untrusted == ()
    assert config.value(key) != without


@pytest.mark.parametrize(
    "line",
    [
        "run.model = 'm'",
        "run.effort = 'high'",
        "run.timeout = '5h'",
        "run.timeout = 'off'",
        "run.sandbox = 'write'",
        "run.sandbox = 'offline'",
        "run.carry = 'all'",
        "gc.max_age_days = 20",
        "gc.max_size_mb = 'off'",
        "notify.command = 'off'",
        "worktree.dir = 'build/copies'",
        "workspace.setup = []",
        "workspace.link = ['node_modules']",
        "workspace.cache = ['target']",
        "agents.claude.model = 'm'",
        "agents.claude.effort = 'm'",
    ],
)
def test_what_takes_no_safety_away_needs_none(sources: Sources, line: str) -> None:
    assert waiting(sources, line) == []


@pytest.mark.parametrize(
    ("own", "theirs", "needs"),
    [
        ("run.sandbox = 'offline'", "run.sandbox = 'write'", True),
        ("run.sandbox = 'off'", "run.sandbox = 'off'", False),
        ("run.sandbox = 'off'", "run.sandbox = 'write'", False),
        ("run.carry = 'none'", "run.carry = 'tracked'", True),
        ("run.carry = 'tracked'", "run.carry = 'none'", False),
        ("run.timeout = '10m'", "run.timeout = '11m'", True),
        ("run.timeout = '10m'", "run.timeout = 'off'", True),
        ("run.timeout = '10m'", "run.timeout = '9m'", False),
        ("run.output_limit = '1M'", "run.output_limit = false", True),
        ("gc.max_age_days = 30", "gc.max_age_days = 29", True),
        ("gc.max_age_days = 3", "gc.max_age_days = 3", False),
        ("run.agent = 'claude'", "run.agent = 'claude'", False),
        ("run.agent = 'claude'", "run.agent = 'gemini'", True),
        ("notify.command = 'x'", "notify.command = 'x'", False),
    ],
)
def test_it_is_compared_with_what_the_user_has_chosen(
    sources: Sources, own: str, theirs: str, needs: bool
) -> None:
    assert bool(waiting(sources, theirs, own)) is needs


def test_a_link_out_of_the_tree_leads_outside(sources: Sources, tmp_path: Path) -> None:
    (sources.top / "inside").symlink_to(tmp_path)

    assert waiting(sources, "worktree.dir = 'inside/copies'") == ["worktree.dir"]


def test_all_that_starts_an_agent_is_one_thing(sources: Sources) -> None:
    theirs = "[agents.mine]\nmodel = 'm'\nacp = 'mine --acp'\nenvironment = { A = '1' }\n"
    config = sources.say(theirs=theirs)

    assert [item.shown for item in config.untrusted] == [
        'agents.mine = {"acp": ["mine", "--acp"], "environment": {"A": "1"}}'
    ]
    assert config.untrusted[0].parts == ['acp = ["mine", "--acp"]', 'environment = {"A": "1"}']
    assert config.agents["mine"].model == "m"
    assert config.agents["mine"].acp is None
    assert config.agents["mine"].environment == {}

    consent(sources.repository, config.untrusted)
    assert sources.say(theirs=theirs).agents["mine"].environment == {"A": "1"}
    other = theirs.replace("A = '1'", "LD_PRELOAD = 'x.so'")
    assert sources.say(theirs=other).agents["mine"].acp is None


def test_what_an_agent_may_do_needs_consent_like_what_starts_it(sources: Sources) -> None:
    theirs = "[agents.codex]\nwritable = ['~/.ssh']\nagent_mode = 'yolo'\n"
    config = sources.say(theirs=theirs)

    assert [item.shown for item in config.untrusted] == [
        'agents.codex = {"agent_mode": "yolo", "writable": ["~/.ssh"]}'
    ]
    assert "codex" not in config.agents

    consent(sources.repository, config.untrusted)
    assert sources.say(theirs=theirs).agents["codex"].writable == ("~/.ssh",)


def test_the_users_own_file_needs_none(sources: Sources) -> None:
    own = "notify.command = 'x'\nrun.sandbox = 'off'\n[agents.mine]\nacp = 'mine'\n"

    config = sources.say(own)

    assert config.untrusted == ()
    assert config.value("notify.command") == "x"


# -- how long it holds


def test_consent_is_for_one_content_in_one_repository(sources: Sources, tmp_path: Path) -> None:
    theirs = "workspace.setup = ['make']\nnotify.command = 'say'\n"
    consent(sources.repository, sources.say(theirs=theirs).untrusted)

    assert waiting(sources, theirs) == []
    assert waiting(sources, f"# moved\n\n{theirs}\nrun.model = 'm'\n") == []
    assert waiting(sources, "workspace.setup = ['make']") == []
    assert waiting(sources, theirs.replace("make", "make ")) == ["workspace.setup"]
    assert waiting(sources, theirs.replace("['make']", "['make', 'x']")) == ["workspace.setup"]
    sources.repository = tmp_path / "other"
    assert waiting(sources, theirs) == ["workspace.setup", "notify.command"]


def test_consent_can_be_withdrawn(sources: Sources) -> None:
    theirs = "workspace.setup = ['make']"
    assert withdraw(sources.repository) == 0
    consent(sources.repository, sources.say(theirs=theirs).untrusted)

    assert withdraw(sources.repository) == 1
    assert waiting(sources, theirs) == ["workspace.setup"]


def test_consents_are_kept_out_of_the_repository(
    sources: Sources, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(sources.top.rglob("*"))
    config = sources.say(theirs="workspace.setup = ['make']")
    consent(sources.repository, config.untrusted)

    assert sorted(sources.top.rglob("*")) == [*before, sources.top / "sideshoot.toml"]
    folder = home / ".state" / "sideshoot" / "consents"
    assert len(list(folder.glob("*.json"))) == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    monkeypatch.delenv("XDG_STATE_HOME")
    assert waiting(sources, "workspace.setup = ['make']") == ["workspace.setup"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"consents": [3]}', b"\xff"])
def test_what_can_not_be_read_is_no_consent(sources: Sources, home: Path, content: bytes) -> None:
    theirs = "workspace.setup = ['make']"
    consent(sources.repository, sources.say(theirs=theirs).untrusted)
    (kept,) = (home / ".state" / "sideshoot" / "consents").glob("*.json")
    kept.write_bytes(content)

    assert waiting(sources, theirs) == ["workspace.setup"]
    consent(sources.repository, sources.say(theirs=theirs).untrusted)
    assert waiting(sources, theirs) == []


def test_consent_that_can_not_be_noted_is_refused(sources: Sources, home: Path) -> None:
    (home / ".state" / "sideshoot").write_text("in the way\n")
    config = sources.say(theirs="workspace.setup = ['make']")

    with pytest.raises(CannotStart, match="no consent was noted"):
        consent(sources.repository, config.untrusted)


# -- what asks for it


@pytest.mark.parametrize(
    ("used", "refused"),
    [
        (["workspace"], True),
        (["workspace.setup"], True),
        (["workspace.link"], False),
        (["run"], False),
        (["agents"], True),
        (["agents.mine"], True),
        (["agents.mine.acp"], True),
        (["agents.min"], False),
        (["agents.mine2", "work"], False),
        ([], False),
    ],
)
def test_only_what_is_used_needs_it(sources: Sources, used: list[str], refused: bool) -> None:
    config = sources.say(theirs="workspace.setup = ['make']\nagents.mine.acp = 'mine'\n")

    if not refused:
        require_consent(config, *used)
        return
    with pytest.raises(ConsentNeeded) as caught:
        require_consent(config, *used)
    line = str(caught.value)
    assert 'workspace.setup = ["make"] (line 1)' in line
    assert 'agents.mine = {"acp": ["mine"]} (line 2)' in line
    assert "`sideshoot config --trust` gives it" in line


def test_what_the_user_has_overruled_needs_none(sources: Sources) -> None:
    theirs = "run.agent = 'claude'"

    with pytest.raises(ConsentNeeded):
        require_consent(sources.say(theirs=theirs), "run")
    require_consent(sources.say(theirs=theirs, run__agent="codex"), "run")


def test_nothing_in_what_is_shown_is_hidden_or_acts_on_the_screen(sources: Sources) -> None:
    theirs = 'notify.command = "evil # \\u202e\\u001b[8m\\n\\r harmless"'
    config = sources.say(theirs=theirs)

    with pytest.raises(ConsentNeeded) as caught:
        require_consent(config, "notify.command")

    assert str(caught.value).isprintable()
    assert all(item.shown.isprintable() for item in config.untrusted)
    assert all(part.isprintable() for item in config.untrusted for part in item.parts)
    assert os.linesep not in config.untrusted[0].shown


def test_an_error_shows_no_more_than_can_be_read(sources: Sources) -> None:
    config = sources.say(theirs=f"notify.command = '{'x' * 100_000}'")

    with pytest.raises(ConsentNeeded) as caught:
        require_consent(config, "notify.command")

    assert len(str(caught.value)) < 500
    assert len(config.untrusted[0].shown) > 100_000


@pytest.mark.parametrize("command", ["[ -e x ] && say", "{ say; }", "[]"])
def test_a_command_is_shown_as_it_is(sources: Sources, command: str) -> None:
    config = sources.say(theirs=f"notify.command = '{command}'\nworkspace.setup = ['{command}']")

    assert [item.parts for item in config.untrusted] == [[command], [command]]

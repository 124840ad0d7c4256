"""What files say, and what is wrong with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sideshoot.config import Config, Origin, load
from sideshoot.errors import BadConfiguration

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "garden"
    folder.mkdir()
    return folder


def loaded(top: Path, text: str | bytes) -> Config:
    content = text if isinstance(text, bytes) else text.encode()
    (top / "sideshoot.toml").write_bytes(content)
    return load(top)


def fault(top: Path, text: str | bytes) -> str:
    """The one line that a file is refused with."""
    with pytest.raises(BadConfiguration) as caught:
        loaded(top, text)
    line = str(caught.value)
    assert line.isprintable()
    assert line.endswith("; nothing was begun")
    return line.removesuffix("; nothing was begun")


# -- values


@pytest.mark.parametrize(
    ("line", "key", "meant"),
    [
        ('gc.max_age_days = "off"', "gc.max_age_days", float("inf")),
        ("gc.max_age_days = false", "gc.max_age_days", float("inf")),
        ("gc.max_size_mb = 1_000_000", "gc.max_size_mb", 1e6),
        ("gc.max_age_days = 20.5", "gc.max_age_days", 20.5),
        ('run.timeout = "1h30m"', "run.timeout", 5400),
        ("run.timeout = false", "run.timeout", None),
        ('run.output_limit = "10K"', "run.output_limit", 10240),
        ("run.output_limit = 4096", "run.output_limit", 4096),
        ('run.model = "default"', "run.model", "default"),
        ('run.model = ""', "run.model", None),
        ('run.effort = "high"', "run.effort", "high"),
        ('run.carry = "none"', "run.carry", "none"),
        ('run.sandbox = "offline"', "run.sandbox", "offline"),
        ("notify.command = false", "notify.command", "off"),
        ('worktree.dir = "out/of the/way"', "worktree.dir", "out/of the/way"),
        ('workspace.link = ["node_modules", "a/b"]', "workspace.link", ("node_modules", "a/b")),
        ("workspace.cache = []", "workspace.cache", ()),
        ("workspace.pool = 3", "workspace.pool", 3),
        ("workspace.pool = false", "workspace.pool", 0),
        ('agents.mine.model = "m"', "agents.mine.model", "m"),
    ],
)
def test_a_value_has_the_type_that_is_natural(
    top: Path, line: str, key: str, meant: object
) -> None:
    config = loaded(top, f"# one\n{line}\n")

    assert config.value(key) == meant
    found = config.in_force(key)
    assert (found.origin, found.line) == (Origin.REPOSITORY_FILE, 2)
    assert found.file == top / "sideshoot.toml"


def test_an_agent_is_a_table(top: Path, home: Path) -> None:
    own_file(home).write_text(
        """
        [agents.first]
        acp = "agent --acp 'with a blank'"
        environment = { KEY = "value", PORT = 8080 }
        [agents."second"]
        command = ["tool", "--prompt", "{prompt}"]
        model = "large"
        effort = "high"
        """
    )

    first, second = load(top).agents.values()

    assert (first.name, first.acp) == ("first", ("agent", "--acp", "with a blank"))
    assert first.environment == {"KEY": "value", "PORT": "8080"}
    assert [first.command, first.model, first.effort] == [None, None, None]
    assert second.command == ("tool", "--prompt", "{prompt}")
    assert (second.model, second.effort, second.environment) == ("large", "high", {})


# -- what is wrong


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ntimeout = 30\n", "line 2: run.timeout can't be 30: it takes a duration like 30s"),
        ("run = { timeout = 30 }", "line 1: run.timeout can't be 30"),
        ("run.timeout = true", "line 1: run.timeout can't be true"),
        ("workspace.pool = 1.5", "line 1: workspace.pool can't be 1.5"),
        ("workspace.pool = true", "line 1: workspace.pool can't be true"),
        ("run.timeout = 1979-05-27", 'run.timeout can\'t be "1979-05-27"'),
        ("[run.timeout]\ns = 1", 'line 1: run.timeout can\'t be {"s": 1}'),
        ("[gc]\n\nmax_size_mb = -1", "line 3: gc.max_size_mb can't be -1: it takes a number"),
        ("gc.max_age_days = nan", "line 1: gc.max_age_days can't be NaN"),
        ("gc.max_age_days = true", "line 1: gc.max_age_days can't be true"),
        ("[run]\nagent = 'command'", 'line 2: run.agent can\'t be "command"'),
        ("[run]\nsandbox = 'on'", "it takes off, write or offline"),
        ("[run]\ncarry = false", "it takes all, tracked or none"),
        ("[run]\nmodel = 4", "line 2: run.model can't be 4: it takes a text"),
        ("notify.command = 'a\\u0000'\nnotify.x=1", "line 2: there is no setting 'notify.x'"),
        ('notify.command = "a\\u0000"', "line 1: notify.command can't be"),
        ("worktree.dir = '.'", "it takes a folder of its own"),
        ("worktree.dir = '../..'", "it takes a folder of its own"),
        ("worktree.dir = '~bob/copies'", "it takes a folder of its own"),
        ("worktree.dir = '~'", "it takes a folder of its own"),
        ("worktree.dir = 'a/../.GIT/x'", "and not in .git"),
        ("[workspace]\nsetup = 'make'", "it takes a list of commands for the shell"),
        ("[workspace]\nsetup = [\n'a',\n\n' ']", 'line 5: workspace.setup can\'t be " "'),
        ("[workspace]\nlink = [\n'a',\n'../b']", 'line 4: workspace.link can\'t be "../b"'),
        ("[workspace]\nlink = ['/etc']", "it takes a list of paths inside the repository"),
        ("[workspace]\ncache = ['~/x']", 'workspace.cache can\'t be "~/x"'),
        ("[workspace]\ncache = ['x/../.git/hooks']", "workspace.cache can't be"),
        ("[workspace]\nlink = ['.']", "workspace.link can't be"),
        ("[agents.x]\nacp = ''", 'line 2: agents.x.acp can\'t be "": it takes a command'),
        ("[agents.x]\nacp = 'a \"b'", "line 2: agents.x.acp can't be"),
        ("[agents.x]\ncommand = []", "line 2: agents.x.command can't be []"),
        (
            "[agents.x.environment]\nA = '1'\n\"B C\" = '2'",
            'line 3: agents.x.environment can\'t be {"B C": "2"}: it takes a table of variables',
        ),
        ("[agents.x]\nwritable = ['cache']", "it takes a list of folders, absolute or below ~"),
        ("[agents.x]\nwritable = ['~/../a']", "agents.x.writable can't be"),
        ("[agents.x]\nwritable = ['/']", "agents.x.writable can't be"),
        ("[agents.x]\nwritable = ['~/']", "agents.x.writable can't be"),
        ("[agents.x]\nenvironment = {A = 1.5}", 'agents.x.environment can\'t be {"A": 1.5}'),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_line(top: Path, text: str, words: str) -> None:
    line = fault(top, text)

    assert line.startswith("sideshoot.toml, line ")
    assert words in line


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\ntimeuot = '1h'", "line 2: there is no setting 'run.timeuot' (did you mean run.timeout?)"),
        ("timeout = '1h'", "line 1: there is no setting 'timeout' (did you mean run.timeout?)"),
        ("[runs]\nx = 1", "line 1: there is no setting 'runs' (did you mean [run]?)"),
        ("[quite_another]", "there is no setting 'quite_another'; there are gate.enabled,"),
        ("\nrun = 3", "line 2: run is a table: [run]"),
        ("[[run]]\ntimeout = '1h'", "line 1: run is a table: [run]"),
        ("agents = 3", "line 1: agents is a table for each agent: [agents.NAME]"),
        ("[agents]\nx = 3", "line 2: agents.x is a table: [agents.x]"),
        ("[agents.x]\nacpp = 'y'", "'agents.x.acpp' (did you mean agents.x.acp?)"),
        ("[agents.command]\nacp = 'y'", "line 1: 'command' can't name an agent"),
        ("[agents.'a b']\nacp = 'y'", "line 1: 'a b' can't name an agent"),
        ("[agents.'a.b']\nacp = 'y'", "there is no setting 'agents.a.b' in quotes"),
        ("\n'run.timeout' = '1h'", "line 2: there is no setting 'run.timeout' in quotes; write it without"),
    ],
)  # fmt: skip
def test_an_unknown_name_says_what_may_have_been_meant(top: Path, text: str, words: str) -> None:
    assert words in fault(top, text)


def test_toml_that_is_none_is_told_in_tomllibs_words(top: Path) -> None:
    said = fault(top, '[run]\ntimeout "1h"\n')

    assert said == (
        "sideshoot.toml: Expected '=' after a key in a key/value pair (at line 2, column 9)"
    )
    assert "Cannot overwrite a value (at line 3" in fault(top, "[run]\nmodel = '1'\nmodel = '2'\n")
    assert "nested too deeply" in fault(top, f"a = {'[' * 5000}{']' * 5000}")


def test_all_faults_are_counted_and_told_where_only_looked_at(top: Path) -> None:
    said = fault(top, "[run]\nx = 1\ntimeout = '1h'\n[y]\nz = 1\n")

    assert "line 2: there is no setting 'run.x'" in said
    assert said.endswith("(and 1 more; `sideshoot config` lists all)")
    config = load(top, lenient=True)
    assert [problem.split(":")[0] for problem in config.problems] == [
        "sideshoot.toml, line 2",
        "sideshoot.toml, line 4",
    ]
    assert config.value("run.timeout") == 3600


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "is not in UTF-8 (at byte 0)"),
        (b"#" * 2_000_000, "is too large to be a configuration file"),
    ],
)
def test_what_is_no_text_is_refused(top: Path, content: bytes, words: str) -> None:
    assert words in fault(top, content)


def test_ways_to_write_lines_do_not_matter(top: Path) -> None:
    config = loaded(top, b'\xef\xbb\xbf# first\r\n[run]\r\nmodel = "m"\r\n')

    assert config.in_force("run.model")[0::3] == ("m", 3)


@pytest.mark.parametrize("target", ["/dev/zero", "pipe", ".", "nowhere"])
def test_what_is_no_file_stops_nothing(top: Path, target: str) -> None:
    os.mkfifo(top / "pipe")
    (top / "sideshoot.toml").symlink_to(target)

    problems = load(top, lenient=True).problems

    assert len(problems) == (0 if target == "nowhere" else 1)


def test_a_file_of_somebody_elses_choosing_is_quoted_fit_for_a_terminal(top: Path) -> None:
    assert "\\x1b[2J" in fault(top, '[run]\n"\\u001b[2J" = 1')
    assert "[2J" in fault(top, '[run]\ncarry = "\\u001b[2J\\u202e"')
    assert len(fault(top, f"[run]\ncarry = '{'x' * 100_000}'")) < 300


# -- where the user's own file is


def own_file(home: Path) -> Path:
    file = home / ".config" / "sideshoot" / "config.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def test_the_users_own_file_is_found(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_file(home).write_text("[run]\nmodel = 'mine'\n")
    assert load().value("run.model") == "mine"

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "elsewhere"))
    assert load().value("run.model") is None

    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert load().value("run.model") == "mine"


def test_a_fault_in_the_users_own_file_names_it(home: Path, top: Path) -> None:
    own_file(home).write_text("[run]\nmodle = 'mine'\n")

    with pytest.raises(BadConfiguration) as caught:
        load(top)

    assert f"{own_file(home)}, line 2: there is no setting 'run.modle'" in str(caught.value)

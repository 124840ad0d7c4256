"""Reviews by the real Codex, Claude Code and OpenCode: of every kind of change, and nothing is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.claude import set_up_claude
from support.codex import set_up_codex
from support.gemini import set_up_gemini
from support.github import GitHub
from support.models import ModelServer, as_told, fail, hang, say, shell, tool
from support.opencode import set_up_opencode
from support.reviewing import answer, finding, of_codex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.command import Command
    from support.repos import Repo

AGENTS = [
    pytest.param(name, marks=pytest.mark.agent(name)) for name in ("codex", "claude", "opencode")
]
GEMINI = pytest.param("gemini", marks=pytest.mark.agent("gemini"))
ODD = [b"a\nb.py", b"it's.py", b'"quoted".py', b"$HOME.py", b"caf\xe9.py", b"star*[a].py", b"-x.py"]


@pytest.fixture
def models() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def set_up(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Sets an agent up, by its name."""

    def prepare(name: str) -> None:
        home = tmp_path / name
        if name == "codex":
            set_up_codex(monkeypatch, home, models)
        elif name == "claude":
            set_up_claude(monkeypatch, home, models)
        elif name == "gemini":
            set_up_gemini(monkeypatch, home, models)
        else:
            set_up_opencode(monkeypatch, models, home)

    return prepare


@pytest.fixture(params=AGENTS)
def agent(request: pytest.FixtureRequest, set_up: Callable[[str], None]) -> str:
    """Each of the agents, set up."""
    set_up(request.param)
    return str(request.param)


@pytest.fixture
def codex(set_up: Callable[[str], None]) -> str:
    set_up("codex")
    return "codex"


@pytest.fixture
def claude(set_up: Callable[[str], None]) -> str:
    set_up("claude")
    return "claude"


@pytest.fixture
def github(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    return GitHub.set_up(repo, tmp_path, monkeypatch)


def write_settings(text: str) -> None:
    """Write the user's own file of settings."""
    file = Path(os.environ["XDG_CONFIG_HOME"]) / "sideshoot" / "config.toml"
    file.parent.mkdir()
    file.write_text(text)


def plays(models: ModelServer, agent: str, *steps: Any, findings: Any = ()) -> None:
    """What the model does: `steps`, and then it answers with findings in the way of the agent."""
    last = answer(*findings)
    ends = [say(last)] if agent != "claude" else [tool("StructuredOutput", **json.loads(last))]
    models.unasked = [*steps, *ends, say("done")]


def asked(models: ModelServer) -> str:
    """All that the agents were told, and that their tools answered."""
    return "\n".join(request.text for request in models.asked)


# -- each agent


@pytest.mark.parametrize("agent", [*AGENTS, GEMINI], indirect=True)
def test_a_working_tree_is_reviewed_and_nothing_is_touched(
    agent: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "staged = 1\n")
    repo.git("add", "app.py")
    repo.write("app.py", "staged = 1\nunstaged = 2\n")
    repo.write("new.py", "untracked = 3\n")
    plays(
        models,
        agent,
        shell("git status; echo x > made.txt; echo x >> app.py"),
        findings=[finding(), finding("it leaks", "new.py", severity="critical")],
    )
    before = repo.fingerprint()

    job = sideshoot("adversarial-review", "--agent", agent, "--json", "is it -- tight?").ok().json

    assert repo.fingerprint() == before
    assert (job["kind"], job["outcome"], job["files"]) == ("adversarial-review", "succeeded", [])
    assert [found["title"] for found in job["review"]["findings"]] == ["it leaks", "it breaks"]
    assert job["review"]["what"] == "the working tree"
    told = asked(models)
    for words in ("+staged = 1", "+unstaged = 2", "+untracked = 3", "is it -- tight?"):
        assert words in told
    assert job["warnings"] == [] or "refused" in str(job["warnings"])


def test_a_commit_is_reviewed_in_a_copy_that_goes(
    agent: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("old.py", "was = 1\n")
    commit = repo.commit("add old")
    repo.remove("old.py")
    repo.commit()
    repo.write("mine.py", "x\n")
    read = tool("read", filePath="old.py") if agent == "opencode" else shell("cat old.py; ls")
    plays(models, agent, read, findings=[finding(file="old.py")])
    before = repo.fingerprint()

    options = ("--agent", agent, "--json", "--commit", commit)
    job = sideshoot("adversarial-review", *options).ok().json

    assert repo.fingerprint() == before
    assert job["worktree"] is None
    assert not list((repo.top / ".worktrees").glob("[a-z]*"))
    assert (job["review"]["after"], job["review"]["findings"][0]["file"]) == (commit, "old.py")
    results = models.asked[-1].text if agent != "claude" else models.asked[1].text
    assert "was = 1" in results.partition("+was = 1")[2]
    assert "mine.py" not in asked(models)


@pytest.mark.agent("codex")
@pytest.mark.agent("claude")
@pytest.mark.parametrize("name", ["codex", "claude"])
def test_the_command_that_is_told_works_for_every_name(
    name: str,
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    set_up: Callable[[str], None],
) -> None:
    set_up(name)
    for number, path in enumerate(ODD):
        repo.write(path, f"content_{number}\n" * 60_000)  # so much that all are cut
    names = ["':(top,glob)a?b.py'", "':(top,glob)it?s.py'", "'\"quoted\".py'", "'$HOME.py'"]
    names += ["':(top,glob)caf?.py'", "':(top,literal)star*[a].py'", "-x.py"]
    looks = [as_told("git diff .* PATH", PATH=f"{word} | tail -1") for word in names]
    plays(models, name, *looks)
    before = repo.fingerprint()

    sideshoot("adversarial-review", "--agent", name).ok()

    assert repo.fingerprint() == before
    told = models.asked[0].text
    for word in names[:2] + names[4:6]:
        assert json.dumps(f"(for git: {word})").strip('"') in told
    for number in range(len(ODD)):
        last = models.asked[len(looks) if name == "codex" else number + 1].text
        assert f"+content_{number}" in last.partition("Your answer")[2]


def test_the_middle_of_a_merge(
    agent: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.git("checkout", "-qb", "side")
    repo.write("app.py", "theirs\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("app.py", "ours\n")
    repo.commit()
    repo.git("merge", "-q", "side", accept=(1,))
    plays(models, agent, findings=[finding()])
    before = repo.fingerprint()

    job = sideshoot("adversarial-review", "--agent", agent, "--json").ok().json

    assert repo.fingerprint() == before
    assert job["review"]["what"] == "the working tree in the middle of a merge"
    assert "<<<<<<<" in asked(models)


def test_a_large_change_is_an_excerpt(
    agent: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    for number in range(40):
        repo.write(f"part_{number:02}.py", f"line of {number}\n" * 2000)
    plays(models, agent)
    sideshoot("adversarial-review", "--agent", agent).ok()
    told = models.asked[0].text
    assert "A part_39.py  +2000 -0" in told
    assert "too large to be shown whole" in told
    assert len(told) < 400_000


# -- Codex, whose reviewer is its own


@pytest.mark.agent("codex")
def test_codex_reviews_by_its_own_reviewer(
    codex: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "edited = 1\n")
    models.unasked = [
        shell("git diff; git status; echo x >> app.py"),
        say(of_codex("it breaks", str(repo.place("app.py")))),
    ]
    before = repo.fingerprint()

    job = sideshoot("review", "--agent", "codex", "--json").ok().json

    assert repo.fingerprint() == before
    assert "staged, unstaged, and untracked" in models.asked[0].text
    (found,) = job["review"]["findings"]
    assert (found["title"], found["file"], found["severity"]) == ("it breaks", "app.py", "high")
    assert job["usage"]["total_tokens"] > 0


@pytest.mark.agent("codex")
def test_codex_is_told_of_changes_that_it_has_no_name_for(
    codex: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    made = sideshoot.run("echo theirs > app.py; echo new > made.py")
    models.unasked = [
        as_told("git diff .*", PATH="app.py"),
        shell("cat made.py; pwd"),
        say(of_codex("it breaks", "COPY/made.py")),
    ]
    before = repo.fingerprint()

    job = sideshoot("review", "--agent", "codex", "--json", "--job", made["job_id"]).ok().json

    assert repo.fingerprint() == before
    told = models.asked[-1].text
    assert f"Review what job {made['job_id']} did." in told
    assert "+theirs" in told
    assert f".worktrees/{job['job_id']}" in told
    assert (job["review"]["after"], job["worktree"]) == (made["result"], None)


@pytest.mark.agent("codex")
@pytest.mark.usefixtures("codex")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--base", "main"], "against the base branch 'main'"),
        (["--commit", "HEAD"], "introduced by commit"),
    ],
)
def test_codex_knows_branches_and_commits(
    repo: Repo, sideshoot: Command, models: ModelServer, options: list[str], words: str
) -> None:
    repo.git("checkout", "-qb", "feature")
    repo.write("app.py", "edited = 1\n")
    repo.commit()
    models.unasked = [say(of_codex("it breaks", str(repo.place("app.py"))))]
    before = repo.fingerprint()
    sideshoot("review", "--agent", "codex", *options).ok()
    assert words in models.asked[0].text
    assert repo.fingerprint() == before


@pytest.mark.agent("codex")
def test_a_pull_request(
    codex: str, repo: Repo, sideshoot: Command, models: ModelServer, github: GitHub
) -> None:
    start = repo.head()
    repo.write("app.py", "theirs = 1\n")
    head = repo.commit()
    github.remote.git("fetch", "-q", str(repo.top), "main:refs/heads/theirs")
    repo.git("reset", "-q", "--hard", start)
    github.open_pull_request(7, base=start, head=head, title="Weed the app")
    models.unasked = [as_told("git diff .*", PATH="app.py"), say("fine")]
    before = repo.fingerprint()

    done = sideshoot("review", "--agent", "codex", "--pr", "7").ok()

    assert "pull request #7: Weed the app" in done.err
    assert "+theirs = 1" in models.asked[-1].text
    assert repo.fingerprint() == before
    assert not any("/pull/" in ref for ref in repo.our_refs())


# -- agents of the user's own


@pytest.mark.agent("opencode")
def test_an_agent_behind_the_agent_client_protocol(
    repo: Repo,
    sideshoot: Command,
    models: ModelServer,
    set_up: Callable[[str], None],
) -> None:
    set_up("opencode")
    write_settings('[agents.mine]\nacp = "opencode acp"\n')
    repo.write("app.py", "edited = 1\n")
    plays(models, "mine", tool("write", filePath="made.txt", content="x"), findings=[finding()])
    before = repo.fingerprint()

    options = ("--agent", "mine", "--sandbox", "off")
    job = sideshoot("review", *options, "--json").ok().json

    assert repo.fingerprint() == before
    assert [found["title"] for found in job["review"]["findings"]] == ["it breaks"]
    assert "+edited = 1" in models.asked[0].text


def test_an_agent_that_is_a_command_can_not_review(repo: Repo, sideshoot: Command) -> None:
    write_settings('[agents.mine]\ncommand = "echo {prompt}"\n')
    repo.write("app.py", "edited = 1\n")
    sideshoot("review", "--agent", "mine").refused("mine can't review", status=2)


# -- as a job like any other


@pytest.mark.agent("claude")
def test_in_the_background_with_its_findings_afterwards(
    claude: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "edited = 1\n")
    plays(models, claude, findings=[finding()])
    before = repo.fingerprint()

    job_id = sideshoot("review", "--agent", "claude", "--background").ok().out.strip()
    sideshoot("wait", job_id).ok()

    assert repo.fingerprint() == before
    shown = {
        form: sideshoot("result", job_id, "--format", form).ok().out
        for form in ("text", "markdown", "json", "sarif", "lines")
    }
    assert shown["text"].startswith("needs attention: 1 finding\n")
    assert "**high**, `app.py:1`" in shown["markdown"]
    assert json.loads(shown["json"])["findings"][0]["file"] == "app.py"
    assert json.loads(shown["sarif"])["runs"][0]["results"][0]["level"] == "error"
    assert shown["lines"] == "app.py:1: high: it breaks\n"
    assert sideshoot.json("result", job_id)["review"]["findings"][0]["title"] == "it breaks"
    assert "review of the working tree" in sideshoot("status").ok().out
    assert "+edited = 1" in sideshoot("diff", job_id).ok().out
    assert "StructuredOutput" in sideshoot("logs", job_id).ok().out


@pytest.mark.agent("codex")
def test_it_can_be_cancelled_and_has_limits(
    codex: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "edited = 1\n")
    models.unasked = [hang()]
    before = repo.fingerprint()
    job_id = sideshoot("review", "--agent", "codex", "-b").ok().out.strip()
    models.await_asked()
    sideshoot("cancel", job_id).ok()
    assert sideshoot.json("status", job_id)["outcome"] == "cancelled"

    late = sideshoot("review", "--agent", "codex", "--timeout", "3s")
    assert (late.status, late.out) == (124, "")
    assert repo.fingerprint() == before


@pytest.mark.agent("codex")
def test_a_provider_that_fails_is_a_review_that_fails(
    codex: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "edited = 1\n")
    models.unasked = [fail(401)]
    done = sideshoot("review", "--agent", "codex", "--format", "json")
    assert (done.status, done.out) == (1, "")
    assert "not logged in" in done.err


@pytest.mark.agent("claude")
def test_findings_can_fail_a_build(
    claude: str, repo: Repo, sideshoot: Command, models: ModelServer
) -> None:
    repo.write("app.py", "edited = 1\n")
    plays(models, claude, findings=[finding(severity="medium")])
    options = ("review", "--agent", "claude")
    assert sideshoot(*options, "--fail-on", "high").status == 0
    assert sideshoot(*options, "--fail-on", "medium").status == 1
    assert sideshoot("result", "--fail-on", "high").status == 0
    assert sideshoot("result", "--fail-on", "medium").status == 1
    models.unasked = [say("I like it."), say("I like it."), say("I like it.")]
    prose = sideshoot(*options, "--fail-on", "critical")
    assert prose.status == 1
    assert "I like it." in prose.out
    assert "--fail-on can't be judged" in prose.err


@pytest.mark.agent("codex")
@pytest.mark.agent("claude")
def test_from_a_review_to_its_rescue(
    repo: Repo, sideshoot: Command, models: ModelServer, set_up: Callable[[str], None]
) -> None:
    set_up("claude")
    repo.write("app.py", "edited = 1\n")
    plays(models, "claude", findings=[finding("one"), finding("two")])
    review = sideshoot("review", "--agent", "claude", "--json").ok().json
    set_up("codex")
    models.unasked = [shell("echo 'edited = 2' > app.py"), say("Mended.")]

    job = (
        sideshoot(
            "run", "--json", "--agent", "codex", "--from-review", "--finding", "2", "be quick"
        )
        .ok()
        .json
    )

    assert (job["from_review"], job["message"]) == (review["job_id"], "Mended.")
    told = models.asked[-1].text
    assert "be quick" in told
    assert "Finding 2 (high): two" in told
    assert "Finding 1" not in told
    sideshoot("keep").ok()
    again = sideshoot("run", "--agent", "codex", "--from-review", review["job_id"], "-b").ok()
    assert "is of another state; changed since, or not here: app.py" in again.err
    sideshoot("wait").ok()

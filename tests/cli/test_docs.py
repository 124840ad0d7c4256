"""docs/commands.md names the commands, options, exit statuses and keys that there are, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from sideshoot.cli.main import ALIASES, commands
from sideshoot.cli.summary import EXIT_STATUS
from sideshoot.config import AGENT_SETTINGS, SETTINGS
from sideshoot.errors import SideshootError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Command
    from support.repos import Repo

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
CONFIGURATION = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")
SHARED = {"-C", "--cwd", "--json", "-h", "--help"}
NAMES = [*commands.list_commands(click.Context(commands)), *ALIASES]


def section(title: str, page: str = PAGE) -> str:
    """The text below a heading, up to the next heading of its level or above."""
    match = re.search(rf"^(##+) {re.escape(title)}\n", page, re.MULTILINE)
    assert match, f"the page has no section {title!r}"
    level = len(match[1])
    rest = page[match.end() :]
    end = re.search(rf"^#{{2,{level}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def first_cells(text: str) -> list[str]:
    """The first cell of each row of the tables in a text."""
    rows = re.findall(r"^\| (.+?) \| ", text.replace(r"\|", "\0"), re.MULTILINE)
    return [row for row in rows if row.startswith(("`", "0", "1", "2", "3", "7"))]


def named_options(text: str) -> set[str]:
    """The options that the first cells name: `-m`, `--model M` gives -m and --model."""
    words = (word for cell in first_cells(text) for word in re.findall(r"`([^`]+)`", cell))
    return {word.split()[0] for word in words if word.startswith("-")}


def options_of(name: str) -> set[str]:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    shown = (p for p in command.params if isinstance(p, click.Option) and not p.hidden)
    return {opt for param in shown for opt in param.opts} - SHARED


def errors(base: type[SideshootError] = SideshootError) -> Iterator[type[SideshootError]]:
    yield base
    for kind in base.__subclasses__():
        yield from errors(kind)


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    sections = re.findall(r"^### `sideshoot (\S+)`$", PAGE, re.MULTILINE)

    assert sections == NAMES


@pytest.mark.parametrize("name", [name for name in NAMES if name != "task"])
def test_the_options_of_a_command_are_those_it_takes(name: str) -> None:
    assert named_options(section(f"`sideshoot {name}`")) == options_of(name)


def test_the_shared_options_are_named() -> None:
    assert named_options(section("What all commands share")) == SHARED


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_of_an_option_are_those_it_takes(name: str) -> None:
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    text = section(f"`sideshoot {'run' if name == 'task' else name}`").replace(r"\|", "|")
    for param in command.params:
        if isinstance(param, click.Option) and isinstance(param.type, click.Choice):
            assert f"`{param.opts[-1]} {'|'.join(param.type.choices)}`" in text


def test_every_setting_is_named_with_its_default() -> None:
    rows = section("What can be set", CONFIGURATION).splitlines()
    named = {row.split("`")[1]: row for row in rows if row.startswith("| `")}

    assert list(named) == [setting.key for setting in SETTINGS]
    assert all(setting.default in named[setting.key] for setting in SETTINGS)


def test_every_setting_of_an_agent_is_named() -> None:
    rows = section("Agents of your own", CONFIGURATION)

    assert re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE) == [one.key for one in AGENT_SETTINGS]


def test_every_exit_status_is_named() -> None:
    import sideshoot.cli.failure  # noqa: F401 - its errors count, too

    statuses = {kind.exit_status for kind in errors()} | set(EXIT_STATUS.values())

    assert {int(cell) for cell in first_cells(section("Exit statuses"))} == statuses


def test_the_object_of_a_job_has_the_keys_that_are_shown(repo: Repo, sideshoot: Command) -> None:
    printed = sideshoot.run("echo more >> README.md; mkdir build; touch build/out")

    assert shape(printed) == shape(shown("A job"))


def test_the_object_of_an_error_has_the_keys_that_are_shown(repo: Repo, sideshoot: Command) -> None:
    sideshoot.run("echo theirs > README.md")
    repo.write("README.md", "mine\n")

    printed = sideshoot("keep", "--json").refused(status=1).json

    assert shape(printed) == shape(shown("An error"))


@pytest.mark.parametrize(
    "command", ["status", "diff", "keep", "undo", "discard", "restore", "gc", "config"]
)
def test_the_keys_of_other_objects_are_named(command: str, repo: Repo, sideshoot: Command) -> None:
    sideshoot.run("echo more >> README.md")
    before = {"undo": ["keep"], "restore": ["discard"]}.get(command, [])
    for earlier in before:
        sideshoot(earlier).ok()

    assert set(sideshoot.json(command)) == named_keys(row_of(command))


def test_the_keys_of_what_setup_finds_are_named(repo: Repo, sideshoot: Command) -> None:
    found = sideshoot("setup", "--json", env={"PATH": "/usr/bin:/bin"}).json
    row = row_of("setup")

    named = {*re.findall(r"`(\w+)`", row)} - {"setup", "null"}

    parts = (found, *(found[key] for key in ("git", "sandbox", "defaults", "review_gate")))
    lists = (found["next_steps"][:1], found["agents"][:1], found["hosts"][:1])
    listed = (*(item for items in lists for item in items), found["defaults"]["agent"])
    assert {key for part in (*parts, *listed) for key in part} == named


def row_of(command: str) -> str:
    rows = section("The others").splitlines()
    return next(line for line in rows if line.startswith(f"| `{command}` |"))


def named_keys(row: str) -> set[str]:
    """The keys of the object itself, not those of what is in it, nor those of an option."""
    text = row.split("|")[2].split(". With", maxsplit=1)[0]
    listed = re.sub(r"(`jobs`|`events`|`steps`|`items`|`settings`): for each .*", r"\1", text)
    return set(re.findall(r"`(\w+)`", listed))


def shown(title: str) -> dict[str, Any]:
    block = re.search(r"```json\n(.*?)```", section(title), re.DOTALL)
    assert block
    found = json.loads(block[1])
    assert isinstance(found, dict)
    return found


def shape(value: Any) -> Any:
    """The keys of an object, in their order, and of what is in it."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1] if isinstance(inner, dict)]
    return None

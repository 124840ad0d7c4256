"""Settings in TOML: one table is put in or taken out, and all else stays as it was."""

from __future__ import annotations

import pytest

from sideshoot.hosts.form import Unreadable
from sideshoot.hosts.notes import Splice
from sideshoot.hosts.toml import load, put, remove

PLACE = ("mcp_servers", "sideshoot")
SERVER = {"command": '/a "b"\\c/sideshoot', "args": ["mcp"], "tool_timeout_sec": 3600}

TEXTS = {
    "nothing": "",
    "comment": "# only this",
    "keys": 'model = "x" # fav\n',
    "no-newline": "[a]\nb = 1",
    "others": '[mcp_servers.other]\ncommand = "x" # c\n\n# tail\n[projects."/a b"]\ntrust = "t"\n',
    "dotted": 'mcp_servers.other.command = "x"\n[z]\n',
    "crlf": 'a = 1\r\n[mcp_servers.other]\r\ncommand = "x"\r\n',
    "texts": "a = \"\"\"\n[mcp_servers.sideshoot]\n\"\"\"\nb = '''\n# no\n'''\n",
    "separators": 'a = "\u2028\x85"\n',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_table_is_added_at_the_end_and_taken_out_again(text: str) -> None:
    changed = put(text, PLACE, SERVER)

    servers = {**load(text).get("mcp_servers", {}), "sideshoot": SERVER}
    assert load(changed) == {**load(text), "mcp_servers": servers}
    assert changed.startswith(text)
    assert Splice.between(text, changed).undone(changed) == text
    left = remove(changed, PLACE)
    assert left.rstrip() == text.rstrip()
    if text.endswith("\n"):
        assert left == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            'a = 1\n\n[mcp_servers.sideshoot]\ncommand = "x"\n\n# of z\n[z]\nb = 1\n',
            "a = 1\n\n# of z\n[z]\nb = 1\n",
        ),
        (
            "[mcp_servers.sideshoot]\nargs = [\n  1, # one\n]\n[z]\n[mcp_servers.sideshoot.env]\nA = '1'\n",
            "[z]\n",
        ),
        (
            "[mcp_servers]\nsideshoot = { command = 'x' }\no = { command = 'y' }\n",
            "[mcp_servers]\no = { command = 'y' }\n",
        ),
        ("mcp_servers.sideshoot.command = 'x'\nb = 1\n", "b = 1\n"),
        (
            "[mcp_servers.o]\n[mcp_servers.sideshoot]\nc = 1\n[[l]]\nx = 1\n[[l]]\n",
            "[mcp_servers.o]\n[[l]]\nx = 1\n[[l]]\n",
        ),
        (
            "[[l]]\nx = 1\n[mcp_servers.sideshoot]\nc = 1\n[[l]]\nx = 2\n",
            "[[l]]\nx = 1\n[[l]]\nx = 2\n",
        ),
    ],
    ids=["followed", "in-parts", "inline", "dotted", "lists", "between-lists"],
)
def test_a_table_goes_however_it_is_written(text: str, left: str) -> None:
    assert remove(text, PLACE) == left


@pytest.mark.parametrize(
    "text",
    [
        "a = ",
        "[a]\n[a]\n",
        "mcp_servers = {}",
        "mcp_servers = 1",
        "mcp_servers = []\n",
        "a = {" * 9,
    ],
)
def test_what_is_broken_or_has_no_room_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        put(text, PLACE, SERVER)


def test_a_table_that_is_there_is_not_written_twice() -> None:
    with pytest.raises(Unreadable):
        put(put("", PLACE, SERVER), PLACE, SERVER)

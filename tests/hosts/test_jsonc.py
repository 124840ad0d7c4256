"""Settings in JSON with comments: one member is put in or taken out, and all else stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.hosts.form import Unreadable
from sideshoot.hosts.jsonc import load, put, remove
from sideshoot.hosts.notes import Splice

SERVER = {"command": "/bin/sideshoot", "args": ["mcp"]}

TEXTS = {
    "nothing": "",
    "blank": " \n",
    "empty": "{}",
    "empty-lines": "{\n}\n",
    "comment-only": "{ /* none */ }\n",
    "line-comment-only": "{\n  // none\n}\n",
    "one-line": '{"a": 1, "b": {"c": [1, 2]}}',
    "spaces": '{\n  "a": 1,\n  "mcpServers": {\n    "o": {"command": "y"}\n  }\n}\n',
    "tabs": '{\n\t"mcpServers": {\n\t\t"o": {\n\t\t\t"command": "y"\n\t\t}\n\t}\n}',
    "crlf": '{\r\n    "a": 1,\r\n    "mcpServers": {}\r\n}\r\n',
    "comments": '// top\n{\n  "a": 1, // of a\n  /* of b */ "b": "// no comment", // of b\n}\n// end',
    "comment-after-last": '{\n  "mcpServers": {\n    "o": 1 // of o\n  } /* of it */\n}\n',
    "block-after-last": '{"mcpServers": {"o": 1 /* of o */ } }',
    "trailing-comma": '{\n  "mcpServers": {\n    "o": 1,\n  },\n}\n',
    "byte-order-mark": '\ufeff{"a": 1}',
    "odd": '{ "p": {"x": ["Bash(ls:*)"]},\n     "odd":   1 }',
    "unicode": '{"ä": "\\u00e4 \\" }", "mcpServers": {"ö": null}}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_member_is_added_and_the_rest_of_the_text_stays(text: str) -> None:
    before = load(text)
    changed = put(text, ("mcpServers", "sideshoot"), SERVER)

    servers = {**before.get("mcpServers", {}), "sideshoot": SERVER}
    assert load(changed) == {**before, "mcpServers": servers}
    splice = Splice.between(text, changed)
    assert len(splice.old) < 20  # a comma, or a comment that it goes before
    assert splice.undone(changed) == text
    assert ("\r\n" in changed) == ("\r\n" in text)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_member_is_taken_out_and_the_rest_stays(text: str) -> None:
    changed = put(text, ("mcpServers", "sideshoot"), SERVER)

    left = remove(changed, ("mcpServers", "sideshoot"))

    before = load(text)
    assert load(left) == {"mcpServers": {}, **before}
    if before.get("mcpServers"):
        assert left == text


def test_what_is_added_looks_like_its_neighbours() -> None:
    text = '{\n  "mcpServers": {\n    "o": {"command": "y"} // mine\n  }\n}\n'

    assert put(text, ("mcpServers", "sideshoot"), SERVER) == (
        '{\n  "mcpServers": {\n    "o": {"command": "y"}, // mine\n'
        '    "sideshoot": {\n      "command": "/bin/sideshoot",\n      "args": ["mcp"]\n    }\n  }\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{ // l\n"a": 1}', "{ // l\n}"),
        ('{"b": 2, // l\n"a": 1}', '{"b": 2 // l\n}'),
        ('{ // l\n"a": 1, "b": 2}', '{ // l\n "b": 2}'),
        ('{ // l\n  "a": 1\n}', "{ // l\n}"),
        ('{ /* // */ "a": 1}', "{ /* // */}"),
        ('{"a": 1 // l\n}', "{ // l\n}"),
        ('{ "a": 1 , }', "{}"),
    ],
)
def test_a_comment_before_it_ends_where_it_ended(text: str, left: str) -> None:
    assert remove(text, ("a",)) == left


def test_a_value_that_is_there_is_replaced_where_it_stands() -> None:
    text = '{"a": {"b": 1 /* old */}, "c": 2}'

    assert put(text, ("a", "b"), 7) == '{"a": {"b": 7 /* old */}, "c": 2}'


def test_of_several_members_of_one_name_the_last_counts() -> None:
    text = '{"a": {"b": 1}, "a": {"c": 2}}'

    assert load(put(text, ("a", "d"), 3)) == {"a": {"c": 2, "d": 3}}
    assert remove(text, ("a", "b")) == text


@pytest.mark.parametrize(
    "text",
    [
        *("{", '{"a": }', '{"a" 1}', '{"a": 1} x', "[1", "{a: 1}", '{"a": 1 "b": 2}', '{"a": NaN}'),
        *("/*", '{"a": ' * 50_000, "[]", "7", '{"a": "\n"}'),
        *('{"mcpServers": []}', '{"mcpServers": "x"}'),
    ],
)
def test_what_is_broken_or_has_no_room_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        put(text, ("mcpServers", "sideshoot"), SERVER)


def test_a_broken_place_is_told_with_its_line() -> None:
    with pytest.raises(Unreadable, match="line 3"):
        load('{\n  "a": 1,\n  b: 2\n}')


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text(max_size=3), _VALUES, max_size=4),
    st.lists(st.text(max_size=3), min_size=1, max_size=3),
    _VALUES,
    st.sampled_from([None, 1, 4, "\t"]),
)
def test_whatever_is_put_in_can_be_read_and_undone(
    there: dict[str, Any], names: list[str], value: Any, indent: int | str | None
) -> None:
    text, place = json.dumps(there, indent=indent, ensure_ascii=False), tuple(names)
    try:
        changed = put(text, place, value)
    except Unreadable:
        return  # something else than an object is on the way

    found = load(changed)
    for name in place:
        found = found[name]
    assert found == value
    assert json.loads(changed) == load(changed)
    assert Splice.between(text, changed).undone(changed) == text
    left = load(remove(changed, place))
    for name in place[:-1]:
        left = left[name]
    assert place[-1] not in left

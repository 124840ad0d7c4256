"""In which line what stands."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sideshoot.config.positions import Place, lines_of

HARD = (
    '''\
# a = 1
bare = 1
"quoted # key" = 2
'lit' . "b\\u00e9" = """
[not.a.table]
no = "key" \\
"""" # with a quote at its end
date = 1979-05-27 07:32:00 # a blank inside
empty = ''

[run] # timeout = 1
"timeout" = '''.removesuffix("'''")
    + """'''
x = 1
''\\\\'''
list = [ # one
  "a]", 'b,',
  [1,
   2],
  { x = 1, "y.z".w = [ 3 ] },
]

[ a . "b c" ]
k=1

[[many]]
n = 1
[many.below]
n = 2
[[many]]
[[many.more]]
[[many.more]]
n = 3
"""
)


def places_in(value: Any, place: Place = ()) -> set[Place]:
    """All that a document has a name for."""
    found = {place} if place else set()
    parts: Any = value.items() if isinstance(value, dict) else ()
    for name, part in enumerate(value) if isinstance(value, list) else parts:
        found |= places_in(part, (*place, name))
    return found


def test_each_place_has_its_line() -> None:
    document = HARD
    lines = lines_of(document)

    assert set(lines) == places_in(tomllib.loads(document))
    assert {place: lines[place] for place in lines if place[-1] in ("lit", "bé", "date")} == {
        ("lit",): 4,
        ("lit", "bé"): 4,
        ("date",): 8,
    }
    at = {text: number for number, text in enumerate(document.splitlines(), 1)}
    assert lines["run", "timeout"] == at["[run] # timeout = 1"] + 1
    assert lines["run", "list", 2, 1] == at["   2],"]
    assert lines["run", "list", 3, "y.z", "w", 0] == at['  { x = 1, "y.z".w = [ 3 ] },']
    assert lines["a", "b c", "k"] == at["k=1"]
    assert lines["many", 0, "below", "n"] == at["n = 2"]
    assert lines["many", 1, "more", 1, "n"] == at["n = 3"]


def test_nothing_is_in_an_empty_document() -> None:
    assert lines_of("") == lines_of("\n# only a comment") == {}


def test_what_is_no_toml_comes_to_an_end_all_the_same() -> None:
    for text in ("]", "a = ]", "[a = [", "{", 'x = "', "= = =", "a = [}]"):
        lines_of(text)


# -- any document


_KEYS = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,4}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4).map(
        lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
    st.text(st.sampled_from('a# =[]{}."'), max_size=4).map(lambda text: f"'{text}'"),
)
_SCALARS = st.one_of(
    st.integers().map(str),
    st.sampled_from(["true", "1979-05-27 07:32:00", "1979-05-27T07:32:00Z", "0.5", "inf", "'#]'"]),
    st.sampled_from(['"\\""', '""""a"b""c"""""', "'''\n]'\n''''", '"""\\\n  x\n[a]\n"""', '"=,{"']),
)
_GAPS = st.sampled_from(["", " ", "\n", " # ] } , =\n", "\n\n\t"])


def _lists(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.lists(st.tuples(_GAPS, inner, _GAPS).map("".join), max_size=3)
    return st.tuples(parts.map(",".join), _GAPS).map(lambda two: f"[{two[0]}{two[1]}]")


def _inline(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(_KEYS, inner).map(" = ".join), max_size=3)
    return pairs.map(lambda found: "{ " + ", ".join(found) + " }")


_VALUES = st.recursive(_SCALARS, lambda inner: _lists(inner) | _inline(inner), max_leaves=6)
_DOTTED = st.lists(_KEYS, min_size=1, max_size=3).map(" . ".join)
_LINES = st.one_of(
    st.tuples(_DOTTED, _VALUES).map(" = ".join),
    _DOTTED.map("[{}]".format),
    _DOTTED.map("[[ {} ]] # x".format),
    st.sampled_from(["", "# a = 1", "\t"]),
)


@given(st.lists(_LINES, max_size=8))
def test_the_places_are_those_that_toml_has(lines: list[str]) -> None:
    """Line by line, so that the line in which a place begins is known."""
    text, begins = "", dict[Place, tuple[int, int]]()
    for line in lines:
        longer = f"{text}{line}\n"
        try:
            found = tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        first = text.count("\n") + 1
        begins |= {place: (first, longer.count("\n")) for place in places_in(found) - {*begins}}
        text = longer

    lines_found = lines_of(text)

    assert set(lines_found) == set(begins)
    assert all(low <= lines_found[place] <= high for place, (low, high) in begins.items())

"""The paths that a reviewer may mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sideshoot.review.names import candidates
from sideshoot.text import show_path


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("src/app.py", b"src/app.py"),
        ("./src//app.py", b"src/app.py"),
        ("a/src/app.py", b"src/app.py"),
        ("b/src/app.py", b"src/app.py"),
        ("src\\app.py", b"src/app.py"),
        ("src/app.py:12", b"src/app.py"),
        ("src/app.py:12-14", b"src/app.py"),
        ("src/app.py:12:3", b"src/app.py"),
        ("src/app.py#L12", b"src/app.py"),
        ("`src/app.py`", b"src/app.py"),
        ('"b/a\\303\\251\\n.py"', "aé\n.py".encode()),
        ("':(top,literal)a*b'", b"a*b"),
        ("a\\x0ab\\xff", b"a\nb\xff"),
        ("/src/app.py", b"src/app.py"),
    ],
)
def test_names_from_where_reviewers_see_them(said: str, meant: bytes) -> None:
    assert meant in candidates(said)


@pytest.mark.parametrize("said", ["", "../x", "a/../../x", "x\0y", "x" * 5000, ".", "///"])
def test_what_lies_in_no_tree_is_not_looked_for(said: str) -> None:
    assert not any(b".." in path or b"\0" in path for path in candidates(said))
    assert len(candidates(said)) <= 3
    assert b"" not in candidates(said)


def test_the_name_as_it_is_comes_first() -> None:
    for name in ("a/b", "x:12", "a\\b", "'q'", "a\\x0ab"):
        assert candidates(name)[0] == name.encode()


@given(st.binary(min_size=1, max_size=40).filter(lambda path: not {0, 0x2F} & set(path)))
def test_a_name_as_we_show_it_is_found_again(path: bytes) -> None:
    if path not in (b".", b".."):
        assert path in candidates(show_path(path)) or b"\\" in path


@given(st.text(max_size=60))
def test_no_name_is_an_error(said: str) -> None:
    assert all(path and not path.startswith(b"/") for path in candidates(said))

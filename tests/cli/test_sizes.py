"""Amounts of data."""

from __future__ import annotations

import pytest

from sideshoot.cli.sizes import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", 512), ("10k", 10240), ("1.5M", 1572864), ("2GiB", 2 << 30), (" 1 ".strip(), 1)],
)
def test_an_amount(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_no_limit() -> None:
    assert parse_size("off") is None


@pytest.mark.parametrize("text", ["", "0", "-1", "M", "1T", "1.2.3M", "ten"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not an amount"):
        parse_size(text)

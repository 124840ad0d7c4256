"""The ways to put a fence up that work here, and an estate for each."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.estates import NOBODY, Estate, Way, check_way, make_estate

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS = [
    pytest.param(Way("bubblewrap"), id="bubblewrap"),
    pytest.param(Way("bubblewrap", NOBODY), id="bubblewrap-nobody"),
    pytest.param(Way("landlock"), id="landlock"),
    pytest.param(Way("landlock", NOBODY), id="landlock-nobody"),
]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    check_way(found)
    return found


@pytest.fixture
def estate(way: Way) -> Iterator[Estate]:
    """Where a program sees all of it: of what lies in /tmp a fenced one gets its own."""
    root = Path(tempfile.mkdtemp(prefix="sideshoot-fence-", dir="/var/tmp"))
    try:
        yield make_estate(root, way)
    finally:
        shutil.rmtree(root)

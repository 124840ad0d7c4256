"""What the tests of settings build on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sources(home: Path, tmp_path: Path) -> Sources:
    """The files of a user and of a repository."""
    return Sources(home, tmp_path / "garden")

"""What the tests of whole rounds build on."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def roomy() -> Iterator[Path]:
    """A folder that is no place for temporary files: Codex's home can't lie among those."""
    made = Path(tempfile.mkdtemp(prefix="sideshoot-", dir="/var/tmp"))
    yield made
    shutil.rmtree(made, ignore_errors=True)

"""docs/architecture.md lists each module of the package."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parent.parent
PACKAGE = TOP / "src" / "sideshoot"
PAGE = (TOP / "docs" / "architecture.md").read_text(encoding="utf-8")
LIST = PAGE.partition("## Every module")[2]


def test_every_module_is_listed_and_every_listed_one_is_there() -> None:
    files = (file.relative_to(PACKAGE) for file in PACKAGE.rglob("*.py"))
    modules = {str(file) for file in files if file.name != "__init__.py"}

    listed = re.findall(r"^\| `(\S+\.py)` \|", LIST, re.MULTILINE)

    assert sorted(listed) == sorted(modules)

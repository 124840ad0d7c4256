"""How git writes files here: all that decides it beside the tree, in one word to compare.

The same tree is other bytes under another `core.autocrlf` or another filter. Where a word was noted
with files and is another one now, they may not be what git would write.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sideshoot.git import Repository

_SETTINGS = (
    r"^(core\.(attributesfile|autocrlf|checkroundtripencoding|eol|filemode|ignorecase|"
    r"precomposeunicode|sharedrepository|symlinks)|filter\..*|lfs\..*|ident\..*)$"
)
_VARIABLES = ("GIT_LFS_SKIP_SMUDGE",)


def manner_of(repository: Repository) -> str:
    """The word for this moment.

    :param repository: the user's working tree, whose configuration counts.
    """
    settings = repository.git.run("config", "-z", "--get-regexp", _SETTINGS, accept=(0, 1)).stdout
    told = (
        repository.object_format,
        settings,
        [os.environ.get(name) for name in _VARIABLES],
        [_content(file) for file in _attribute_files(repository, settings)],
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _attribute_files(repository: Repository, settings: bytes) -> Iterator[Path]:
    # gitattributes(5): those that no tree holds.
    yield repository.common_dir / "info" / "attributes"
    yield Path("/etc/gitattributes")
    for setting in settings.split(b"\0"):
        name, _, value = setting.partition(b"\n")
        if name == b"core.attributesfile":
            yield Path(os.fsdecode(value)).expanduser()
    named = os.environ.get("XDG_CONFIG_HOME")
    yield Path(named or Path("~/.config").expanduser()) / "git" / "attributes"


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None

"""What a tree alone can't say of a result: the message of the result's commit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sideshoot.workspace.places import from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sideshoot.git import Repository

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a result beside its tree."""

    raw: frozenset[bytes] = frozenset()
    """Files whose blobs are their raw bytes, since git's filters refused them."""
    converted: Mapping[bytes, str] = field(default_factory=dict)
    """Files that are not in the working tree what git stores of them. Empty where git's filters lead
    back to the very bytes; else the blob that holds these."""
    empty: tuple[bytes, ...] = ()
    """Folders without anything in them."""
    inner: tuple[dict[str, Any], ...] = ()
    """Repositories that lay inside, as `sideshoot.workspace.nested` saved them."""

    @property
    def beside(self) -> list[bytes]:
        """The paths of what is held beside the tree."""
        return [*self.empty, *(from_text(record["path"]) for record in self.inner)]


def read_manifest(repository: Repository, result: str) -> Manifest:
    """What a result's commit says beside its tree."""
    text = repository.git.run("cat-file", "commit", result).stdout.partition(b"\n\n")[2]
    try:
        told = json.loads(text)
    except ValueError:
        return Manifest()
    return Manifest(
        raw=frozenset(map(from_text, told["raw"])),
        converted={from_text(path): oid for path, oid in told["converted"].items()},
        empty=tuple(map(from_text, told["empty"])),
        inner=tuple(told["inner"]),
    )


def manifest_text(manifest: Manifest) -> str:
    """What `read_manifest` reads."""
    told = {
        "format": FORMAT,
        "raw": _texts(manifest.raw),
        "converted": {to_text(path): oid for path, oid in sorted(manifest.converted.items())},
        "empty": _texts(manifest.empty),
        "inner": list(manifest.inner),
    }
    return json.dumps(told) + "\n"


def _texts(paths: Collection[bytes]) -> list[str]:
    return [to_text(path) for path in sorted(paths)]

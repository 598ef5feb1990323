"""What the cache holds, and removing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llpbench import catalog
from llpbench.data import fetch
from llpbench.data.cache import cache_folder, stored_names
from llpbench.data.folders import walk
from llpbench.writing import discard, locked, part_path, unfinished


@dataclass(frozen=True)
class Holding:
    """One thing in the cache, in a folder of so many bytes, and the dataset it belongs to.

    "partial" is part of an archive or of a dataset.
    """

    name: str
    kind: Literal["dataset", "archive", "partial"]
    path: Path
    size: int


def holdings() -> list[Holding]:
    """List datasets, archives and what interrupted runs left."""
    cache = cache_folder()
    held = [
        Holding(name, "dataset", cache / name, folder_size(cache / name)) for name in stored_names()
    ]
    held += [
        Holding(path.name, "partial", part, folder_size(part)) for path, part in unfinished(cache)
    ]
    for name, entry in catalog.load().datasets.items():
        if entry.record is None:
            continue
        archive = fetch.Archive(entry.record, cache)
        state = archive.state.state
        if state != "absent":
            held.append(Holding(name, state, archive.folder, folder_size(archive.folder)))
    return held


def remove(holding: Holding) -> None:
    """Remove one thing from the cache."""
    entry = catalog.load().datasets.get(holding.name)
    in_archives = holding.path.parent != cache_folder()
    if in_archives and entry is not None and entry.record is not None:
        archive = fetch.Archive(entry.record, cache_folder())
        with archive.in_use(wait=False):
            archive.remove()
    else:
        _remove_dataset(cache_folder() / holding.name, holding.path)


def _remove_dataset(path: Path, folder: Path) -> None:
    """Take its name away first, so that a name is free however the removal ends."""
    part = part_path(path)
    with locked(path, wait=False):
        if folder != part:
            discard(part)
            folder.rename(part)
        discard(part)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(
        item.stat(follow_symlinks=False).st_size for item in walk(folder) if not item.is_dir()
    )

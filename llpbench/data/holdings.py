"""What the cache holds, and removing it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llpbench import catalog
from llpbench.data import fetch
from llpbench.data.cache import cache_folder, stored_names


@dataclass(frozen=True)
class Holding:
    """One thing in the cache.

    Parameters
    ----------
    name : str
        The dataset it belongs to.
    kind : {"dataset", "archive", "partial"}
    path : Path
    size : int
        Bytes on disk.
    """

    name: str
    kind: Literal["dataset", "archive", "partial"]
    path: Path
    size: int


def holdings() -> list[Holding]:
    """List datasets, archives and what interrupted runs left.

    Returns
    -------
    list of Holding
    """
    cache = cache_folder()
    found = [
        Holding(name, "dataset", cache / name, folder_size(cache / name)) for name in stored_names()
    ]
    found += [
        Holding(path.name.removesuffix(".partial"), "partial", path, folder_size(path))
        for path in sorted(cache.glob("*.partial"))
    ]
    for name, entry in catalog.load().datasets.items():
        if entry.record is None:
            continue
        state = fetch.archive_state(entry.record, cache=cache)
        if state.state != "absent":
            kind: Literal["archive", "partial"] = (
                "archive" if state.state == "archive" else "partial"
            )
            folder = fetch.record_folder(entry.record, cache=cache)
            found.append(Holding(name, kind, folder, folder_size(folder)))
    return found


def remove(holding: Holding) -> None:
    """Remove one thing from the cache.

    Parameters
    ----------
    holding : Holding
        From :func:`holdings`.
    """
    entry = catalog.load().datasets.get(holding.name)
    in_archives = holding.path.parent != cache_folder()
    if in_archives and entry is not None and entry.record is not None:
        fetch.remove_archive(entry.record, cache=cache_folder())
    else:
        shutil.rmtree(holding.path)


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    int
    """
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

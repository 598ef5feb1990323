"""Where things stand on a board, and what may stand in the folder of an entry."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llpbench.board.fields import DATASET, SLUG
from llpbench.data.folders import list_files
from llpbench.data.litter import is_litter
from llpbench.errors import BoardError, examples
from llpbench.reading import check_file

ENTRY = "entry.yaml"
LARGEST_PREDICTIONS = 32 * 2**20
"""Bytes of the largest predictions file; proportions of 14,000 chips have a few hundred kB."""
MOST_FILES = 1001
MOST_GRID_FILES = 2**17
LARGEST_GRID_FILE = 2**29
"""Files and folders of a segmentation, and bytes of one of them."""
DEEPEST_GRID = 6
"""Folders within one another: an array's, ``c`` and one for each dimension but the last."""

_FOLDER = re.compile(rf"{SLUG}__{SLUG}")
_DATASET = re.compile(DATASET)
_FILE = re.compile(r"seed-(0|[1-9][0-9]{0,9})\.(parquet|zarr)")


@dataclass(frozen=True)
class Board:
    """A folder with entries, truth tables and results.

    It holds ``entries/<team>__<method>/``, ``truth/<dataset>.parquet`` with ``<dataset>.json``
    beside, ``results/<dataset>/<team>__<method>.json``, ``site/``, ``entry.schema.json``, and maybe
    ``board.yaml``.
    """

    folder: Path

    def entries(self) -> list[Path]:
        """Folders of all entries, sorted by name."""
        if not (self.folder / "entries").is_dir():
            return []
        names = sorted(path.name for path in (self.folder / "entries").iterdir())
        shown = (name for name in names if not (name.startswith(".") or is_litter(Path(name))))
        return [self.folder / "entries" / name for name in shown]

    def entry(self, name: str) -> Path:
        """Folder of an entry, whether there is one or not."""
        check_folder_name(name)
        return self.folder / "entries" / name

    def truth(self, dataset: str) -> Path:
        """Truth table of a dataset."""
        _check_dataset(dataset)
        return self.folder / "truth" / f"{dataset}.parquet"

    def card(self, dataset: str) -> Path:
        """What a page shows of a dataset: outlines, colours, example chips."""
        _check_dataset(dataset)
        return self.folder / "truth" / f"{dataset}.json"

    def result(self, dataset: str, entry: str) -> Path:
        """Stored scores of an entry on a dataset."""
        _check_dataset(dataset)
        check_folder_name(entry)
        return self.folder / "results" / dataset / f"{entry}.json"

    @property
    def settings(self) -> Path:
        """Where the board says of itself what nothing else knows; it need not be there."""
        return self.folder / "board.yaml"

    @property
    def site(self) -> Path:
        """Folder of the page."""
        return self.folder / "site"

    @property
    def badges(self) -> Path:
        """Folder of the badges of entries."""
        return self.site / "badges"

    def badge(self, entry: str) -> Path:
        """Badge of an entry."""
        check_folder_name(entry)
        return self.badges / f"{entry}.svg"


@dataclass(frozen=True)
class EntryFiles:
    """Files of an entry: dataset to seed to ``<dataset>/seed-<k>.parquet`` and ``.zarr``.

    Segmentations are in no repository, so that they may be missing.
    """

    folder: Path
    predictions: dict[str, dict[int, Path]]
    segmentations: dict[str, dict[int, Path]]


def _check_dataset(name: str) -> None:
    """Refuse what cannot name a dataset, before it becomes the name of a file."""
    if not _DATASET.fullmatch(name):
        raise BoardError(f"{examples([name])} cannot name a dataset of a board")


def check_folder_name(name: str) -> None:
    """Refuse what cannot be the folder of an entry.

    Examples
    --------
    >>> check_folder_name("tartu__bag-ridge")
    >>> check_folder_name("../etc")
    Traceback (most recent call last):
        ...
    llpbench.errors.BoardError: an entry's folder is called <team>__<method>, in lower-case ...
    """
    if not _FOLDER.fullmatch(name):
        raise BoardError(
            "an entry's folder is called <team>__<method>, in lower-case letters, digits and "
            f"single hyphens, such as tartu__bag-ridge; found {examples([name])}"
        )


def list_entry_files(folder: Path) -> EntryFiles:
    """List the folder of an entry without following or opening anything.

    Refused is anything but ``entry.yaml`` and ``<dataset>/seed-<k>.parquet`` (or ``.zarr``), a
    link, or a file that is too large. What desktops leave is passed over.
    """
    check_folder_name(folder.name)
    if folder.is_symlink() or not folder.is_dir():
        raise BoardError(f"{folder.name} must be a folder")
    files = EntryFiles(folder, {}, {})
    for item in _scan(folder):
        if item.name == ENTRY:
            _check_file(item, LARGEST_PREDICTIONS)
        elif item.is_dir(follow_symlinks=False) and _DATASET.fullmatch(item.name):
            _list_dataset(item, files)
        else:
            raise BoardError(
                f"{examples([item.name])} has no place in an entry: expected are {ENTRY} and, in a "
                "folder for each dataset, seed-<k>.parquet"
            )
    if not (folder / ENTRY).is_file():
        raise BoardError(f"{folder.name} holds no {ENTRY}; start with `llpbench leaderboard new`")
    return files


def _list_dataset(item: os.DirEntry[str], files: EntryFiles) -> None:
    for file in _scan(Path(item.path)):
        name = _FILE.fullmatch(file.name)
        if name is None:
            raise BoardError(
                f"{examples([f'{item.name}/{file.name}'])} has no place in an entry: expected is "
                "seed-<k>.parquet"
            )
        seed, path = int(name[1]), Path(file.path)
        if name[2] == "parquet":
            _check_file(file, LARGEST_PREDICTIONS)
            files.predictions.setdefault(item.name, {})[seed] = path
        elif file.is_dir(follow_symlinks=False):
            _check_grid(path)
            files.segmentations.setdefault(item.name, {})[seed] = path
        else:
            raise BoardError(f"{examples([f'{item.name}/{file.name}'])} must be a zarr folder")


def _check_grid(folder: Path) -> None:
    """Refuse a segmentation with links, depths or sizes that no segmentation has."""
    for path, size in list_files(folder, BoardError, most=MOST_GRID_FILES, deepest=DEEPEST_GRID):
        if size > LARGEST_GRID_FILE:
            raise BoardError(
                f"{folder.name}: {path.name} has {size} bytes; at most {LARGEST_GRID_FILE} are read"
            )


def _scan(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as items:
        for number, item in enumerate(items):
            if number >= MOST_FILES:
                raise BoardError(f"{folder.name} holds more than {MOST_FILES} files")
            if not is_litter(Path(item.name)):
                yield item


def _check_file(item: os.DirEntry[str], largest: int) -> None:
    if item.is_symlink():
        raise BoardError(f"{item.name} must be a plain file, no link")
    check_file(Path(item.path), largest, BoardError)

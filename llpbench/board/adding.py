"""Taking an entry onto a board."""

from __future__ import annotations

import shutil
from pathlib import Path

from llpbench.board.checking import check_entry
from llpbench.board.layout import ENTRY, Board, list_entry_files
from llpbench.board.verdict import Verdict
from llpbench.errors import BoardError
from llpbench.writing import replacing


def add_entry(folder: Path, board: Board) -> Verdict:
    """Check an entry and copy it onto the board, unless it is refused.

    Parameters
    ----------
    folder : Path
        ``<team>__<method>``; one on the board already is only checked.
    board : Board

    Returns
    -------
    Verdict

    Raises
    ------
    BoardError
        If the board has another entry of that name.
    """
    folder = folder.absolute()
    verdict = check_entry(folder, board)
    if verdict.is_refused:
        return verdict
    place = board.entry(folder.name)
    if place.exists() and place.samefile(folder):
        return verdict
    if place.exists():
        raise BoardError(
            f"the board has an entry {folder.name} already; remove {str(place)!r} to replace it"
        )
    with replacing(place) as beside:
        _copy(folder, beside)
    return verdict


def _copy(folder: Path, place: Path) -> None:
    """Copy what an entry is made of; segmentations as well, though no repository keeps them."""
    files = list_entry_files(folder)
    place.mkdir(parents=True)
    shutil.copyfile(folder / ENTRY, place / ENTRY)
    for kind in (files.predictions, files.segmentations):
        for dataset, seeds in kind.items():
            (place / dataset).mkdir(exist_ok=True)
            for path in seeds.values():
                copy = shutil.copytree if path.is_dir() else shutil.copyfile
                copy(path, place / dataset / path.name)

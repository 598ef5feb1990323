"""Taking an entry onto a board."""

from __future__ import annotations

import shutil
from pathlib import Path

from llpbench.board.checking import check_and_read
from llpbench.board.layout import ENTRY, Board, list_entry_files
from llpbench.board.upkeep import Upkeep, update_scores
from llpbench.board.verdict import Verdict
from llpbench.errors import BoardError
from llpbench.writing import replacing


def add_entry(folder: Path, board: Board) -> tuple[Verdict, list[Upkeep]]:
    """Check an entry, copy it onto the board and score it, unless it is refused.

    Parameters
    ----------
    folder : Path
        ``<team>__<method>``; one on the board already is only checked and scored.

    Returns
    -------
    Verdict, list of Upkeep
        What was scored, a dataset each; nothing if it is refused.

    Raises
    ------
    BoardError
        If the board has another entry of that name.
    """
    folder = folder.absolute()
    verdict, candidates = check_and_read(folder, board)
    if verdict.is_refused:
        return verdict, []
    place = board.entry(folder.name)
    if not place.exists():
        with replacing(place) as partial:
            _copy(folder, partial)
    elif not place.samefile(folder):
        raise BoardError(
            f"the board has an entry {folder.name} already; remove {str(place)!r} to replace it"
        )
    return verdict, [update_scores(candidate, board) for candidate in candidates]


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

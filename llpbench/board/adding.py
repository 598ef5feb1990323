"""Taking an entry onto a board."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from llpbench.board.checking import check_and_read
from llpbench.board.layout import Board, list_entry_files
from llpbench.board.site import build_site
from llpbench.board.upkeep import Upkeep, update_scores
from llpbench.board.verdict import Verdict
from llpbench.data.litter import is_litter
from llpbench.errors import BoardError
from llpbench.writing import discard, replacing


def add_entry(
    folder: Path, board: Board, *, without_truth: bool = False
) -> tuple[Verdict, list[Upkeep], list[Path]]:
    """Check an entry, copy it onto the board, score it and make the page, unless it is refused.

    One that is on the board already is only checked and scored. What fails leaves the board without
    the entry. The last of what is returned are the files of the page, which is ``without_truth`` as
    :func:`~llpbench.board.site.build_site` makes it.
    """
    folder = folder.absolute()
    verdict, candidates = check_and_read(folder, board)
    if verdict.is_refused:
        return verdict, [], []
    place = board.entry(folder.name)
    if place.exists() and not place.samefile(folder):
        raise BoardError(
            f"the board has an entry {folder.name} already; remove {str(place)!r} to replace it"
        )
    with ExitStack() as undo:
        if not place.exists():
            list_entry_files(folder)  # still nothing else, no links
            for candidate in candidates:
                undo.callback(discard, board.result(candidate.dataset, folder.name))
            undo.callback(discard, place)
            with replacing(place) as partial:
                shutil.copytree(folder, partial, ignore=_litter, copy_function=shutil.copyfile)
        scored = [update_scores(candidate, board) for candidate in candidates]
        written = build_site(board, without_truth=without_truth)
        undo.pop_all()
    return verdict, scored, written


def _litter(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if is_litter(Path(name))]

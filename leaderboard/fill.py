"""Put finished runs of the methods that ship here on a board: python fill.py RUNS BOARD.

Each method with three seeds becomes an entry ``llpbench__<method>``, in the
place of the one before; so do its exported files of one kind,
``llpbench__<method>-<format>-<numbers>``. Only datasets that the board has
a truth table of are taken.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from llpbench.board.adding import add_entry
from llpbench.board.drafting import draft_entry
from llpbench.board.drafting_files import name_of_files
from llpbench.board.layout import Board
from llpbench.methods.registry import describe_method
from llpbench.runs.record import Run
from llpbench.runs.results import find_runs

TEAM = "llpbench"
SELECTION = (
    "Epochs by `llpbench run`: the lowest error of validation divisions. Settings as in the "
    "command; what is not in it is as the method has it."
)
SEEDS = 3
SAID = {
    "authors": [{"name": "llpbench contributors"}],
    "contact": "maintainers@llpbench.invalid",
    "licence": "Apache-2.0",
}


def fill(board: Board, folder: Path) -> None:
    """Make entries of the runs in a folder."""
    by_name: dict[str, list[Run]] = {}
    for run in find_runs([folder]):
        if board.truth(run.record.dataset).exists():
            words = [run.record.method.replace("+", "-"), name_of_files(run.record.export)]
            name = "-".join(filter(None, words)).replace(", ", "-")
            by_name.setdefault(f"{TEAM}__{name}", []).append(run)
    for name, runs in by_name.items():
        seeds = Counter(run.record.dataset for run in runs)
        if min(seeds.values()) >= SEEDS:
            _replace(board, name, runs)
        else:
            print(f"{name} has fewer than {SEEDS} seeds and is left out")


def _replace(board: Board, name: str, runs: Sequence[Run]) -> None:
    """Make an entry of runs, and put it in the place of the one before."""
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / name
        info = describe_method(runs[0].record.method)
        selection = " ".join([SELECTION, *info.design])
        said = {**SAID, "selection": selection, "paper": dict(info.paper) or None}
        draft_entry(draft, [run.folder for run in runs], said)
        before = Path(scratch) / "before"
        if board.entry(name).exists():
            shutil.move(board.entry(name), before)
        verdict = add_entry(draft, board)[0]
        if verdict.is_refused and before.exists():
            shutil.move(before, board.entry(name))
    print(name, verdict.level, *(reason.sentence for reason in verdict.reasons), sep="\n  ")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    fill(Board(Path(sys.argv[2])), Path(sys.argv[1]))

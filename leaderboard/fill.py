"""Put finished runs of the methods that ship here on a board: python fill.py RUNS BOARD.

Each method with three seeds becomes an entry ``llpbench__<method>``, in the
place of the one before. Only datasets that the board has a truth table of are taken.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from llpbench.board.adding import add_entry
from llpbench.board.drafting import SELECTION, draft_entry
from llpbench.board.layout import Board
from llpbench.runs.record import RECORD, Run, read_run

TEAM = "llpbench"
SEEDS = 3
SAID = {
    "authors": [{"name": "llpbench contributors"}],
    "contact": "maintainers@llpbench.invalid",
    "licence": "Apache-2.0",
}

_PAPER = {
    "title": "On-orbit model training for satellite imagery with label proportions",
    "url": "https://arxiv.org/abs/2306.12461",
}
PUBLISHED = dict.fromkeys(
    ("train-mean", "downconv", "qkm", "convregr", "customunet", "resnet18unet", "vgg16unet"), _PAPER
)
"""Where a method was published."""

_FEATURES = (
    "How features describe patches was chosen by proportions of validation divisions of a "
    "semi-real region (another dataset), with its test scores in sight."
)
_LLPNET = (
    "The network and its training were designed on labels of the synthetic demo regions, all "
    "splits, and on proportions of validation divisions of a semi-real region: on the demo regions "
    "this is no independent result."
)
_BUDGET = "The number of epochs is what time allowed."
DESIGN = {
    **dict.fromkeys(
        ("bag-ridge", "aggregated-multinomial", "mean-map", "bayesian-bag-ridge"), _FEATURES
    ),
    **dict.fromkeys(("llpnet", "chip-supervised", "pixel-supervised"), _LLPNET),
    **dict.fromkeys(("convregr", "qkm", "gmm", "customunet", "resnet18unet", "vgg16unet"), _BUDGET),
    "downconv": f"The rate was chosen on a semi-real region. {_BUDGET}",
    "rake": "Variants of raking were compared on labels of a demo region.",
}
"""What else is to be known of how a method, or a post-processor, came to be as it is."""


def fill(board: Board, folder: Path) -> None:
    """Make entries of the runs in a folder.

    Parameters
    ----------
    board : Board
    folder : Path
        Its folders are runs.
    """
    by_method: dict[str, list[Run]] = {}
    for path in sorted(folder.glob(f"*/{RECORD}")):
        run = read_run(path.parent)
        if board.truth(run.record.dataset).exists():
            by_method.setdefault(run.record.method, []).append(run)
    for method, runs in by_method.items():
        seeds = Counter(run.record.dataset for run in runs)
        if min(seeds.values()) >= SEEDS:
            _replace(board, method, [run.folder for run in runs])
        else:
            print(f"{method} has fewer than {SEEDS} seeds and is left out")


def _replace(board: Board, method: str, runs: Sequence[Path]) -> None:
    """Make an entry of runs, and put it in the place of the one before."""
    name = f"{TEAM}__{method.replace('+', '-')}"
    with tempfile.TemporaryDirectory() as scratch:
        draft = Path(scratch) / name
        told = [SELECTION, *(DESIGN[part] for part in method.split("+") if part in DESIGN)]
        said = {**SAID, "selection": " ".join(told), "paper": PUBLISHED.get(method)}
        draft_entry(draft, runs, said)
        before = Path(scratch) / "before"
        if board.entry(name).exists():
            shutil.move(board.entry(name), before)
        verdict, _scores = add_entry(draft, board)
        if verdict.is_refused and before.exists():
            shutil.move(before, board.entry(name))
    print(name, verdict.level, *(reason.sentence for reason in verdict.reasons), sep="\n  ")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    fill(Board(Path(sys.argv[2])), Path(sys.argv[1]))

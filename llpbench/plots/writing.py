"""All pictures of a set of scores, as files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.picture import View
from llpbench.plots.classes import draw_classes
from llpbench.plots.confusion import draw_confusion
from llpbench.plots.coverage import draw_coverage, scored_levels
from llpbench.plots.division_shares import draw_division_shares
from llpbench.plots.extremes import draw_extremes
from llpbench.plots.maps import draw_class_map, draw_error_map
from llpbench.plots.reliability import draw_reliability
from llpbench.writing import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from llpbench.scoring.division_scores import DivisionScores
    from llpbench.scoring.scores import Scores

LONGEST_PART = 60
"""Letters of a part of a file's name: at most 240 bytes, and 255 make a name."""


def write_plots(
    scores: Scores,
    folder: Path,
    *,
    categories: Sequence[str] | None = None,
    rgb: Sequence[str] | None = None,
) -> list[Path]:
    """Write every picture that the scores allow.

    Parameters
    ----------
    scores : Scores
        Read from JSON, they allow the pictures of classes and of intervals alone.
    folder : Path
        New or not. Pictures of the same name are replaced, each in one step.
    categories : sequence of str, optional
        Classes to map, by default all.
    rgb : sequence of str, optional
        Bands that are shown of chips, as of ``ds.llp.plot_chip``.

    Returns
    -------
    list of Path
        PNG files of 150 dots to the inch.
    """
    if rgb is not None and scores.opened is not None:
        View.of(scores.opened, rgb)  # refuses before anything is written
    folder.mkdir(parents=True, exist_ok=True)
    mapped = scores.categories if categories is None else categories
    return [
        write_figure(draw(), folder / f"{name}.png")
        for name, draw in _pictures(scores, mapped, rgb)
    ]


def write_division_plots(scores: DivisionScores, folder: Path) -> list[Path]:
    """Write the pictures of scores of divisions, in the same way."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_figure(draw_division_shares(scores), folder / "division-shares.png")]


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a picture as PNG in one step, whole or not at all, and give its path."""
    with replacing(path) as beside:
        figure.savefig(beside, bbox_inches="tight")
    return path


def file_name(text: str) -> str:
    """Make a part of a file's name of any text.

    Examples
    --------
    >>> file_name("bag-ridge+rake")
    'bag-ridge-rake'
    """
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:LONGEST_PART]


def _pictures(
    scores: Scores, categories: Sequence[str], rgb: Sequence[str] | None
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    yield "classes", partial(draw_classes, scores)
    if scored_levels(scores):
        yield "coverage", partial(draw_coverage, scores)
    if scores.confusion is not None:
        yield "confusion", partial(draw_confusion, scores)
    if scores.opened is None:
        return
    yield "reliability", partial(draw_reliability, scores)
    yield "divisions", partial(draw_error_map, scores)
    yield "chips", partial(draw_extremes, scores, rgb)
    for category in categories:
        yield f"map-{file_name(category)}", partial(draw_class_map, scores, category)

"""Ranks of a challenge before and after its private half was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llpbench.style import DISTINCT, INK, MUTED, new_figure, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = 0.26
"""Inches between ranks."""


def draw_shake_up(places: Sequence[tuple[str, int, int]], track: str) -> Figure:
    """Draw a line a team from its rank by public scores to its rank by private ones.

    Teams that rose are blue, those that fell orange, the others grey.

    Parameters
    ----------
    places : sequence of (str, int, int)
        Team, rank by the public half and by the private one, both from 1; not empty.
    track : str
        What is ranked.
    """
    lowest = max(max(before, after) for _team, before, after in places)
    figure = new_figure(width=7.0, height=1.2 + _LINE * lowest)
    axis = figure.subplots()
    for side, rank in ((0, 1), (1, 2)):
        here: dict[int, list[str]] = {}
        for place in places:
            here.setdefault(int(place[rank]), []).append(short(place[0]))
        for at, teams in here.items():
            text = f"{at}  {', '.join(teams)}" if side else f"{', '.join(teams)}  {at}"
            align = "left" if side else "right"
            beside = side + (side - 0.5) * 0.14
            axis.text(beside, at, text, ha=align, va="center", color=INK, fontsize=8)
    for _team, before, after in places:
        colour = MUTED if before == after else DISTINCT[2] if after < before else DISTINCT[1]
        axis.plot([0, 1], [before, after], color=colour, lw=1.6, marker="o", markersize=4)
    axis.set_xlim(-1.4, 2.4)
    axis.set_ylim(lowest + 0.7, 0.1)
    axis.set_xticks([0, 1], ["rank by the\npublic half", "final rank, by\nthe private half"])
    axis.xaxis.tick_top()
    axis.tick_params(length=0, labelsize=8)
    axis.set_yticks([])
    for spine in axis.spines.values():
        spine.set_visible(False)
    axis.set_title(f"{track} track", fontsize=11)
    return figure

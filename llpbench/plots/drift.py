"""Colours of new images beside those that a method was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.appearance import CHANNELS, Drift
from llpbench.style import INK, MUTED, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#bb5566", "#228833", "#004488", INK, INK)


def draw_drift(drift: Drift) -> Figure:
    """Draw the distribution of each channel: filled where trained on, a line where new.

    The title of a panel says how far the two are apart, and how far they may be.
    """
    figure = new_figure(width=13, height=2.6)
    axes = figure.subplots(1, len(CHANNELS))
    pairs = zip(axes, CHANNELS, _COLOURS, drift.measure, drift.limit, strict=True)
    for number, (axis, name, colour, measure, limit) in enumerate(pairs):
        low, step = (0, 1) if number < 3 else (-255, 2)
        edges = low + step * np.arange(257)
        known, new = (one.shares[number] / step for one in (drift.known, drift.new))
        axis.stairs(known, edges, fill=True, color=MUTED, alpha=0.5, label="training")
        axis.stairs(new, edges, color=colour, label="new")
        verdict = "outside" if measure > limit else "inside"
        axis.set_title(f"{name}\n{measure:.2f} of {limit:.2f}, {verdict}", fontsize=9)
        axis.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.5 * known.max()), yticks=[])
        strip(axis)
    axes[0].set_ylabel("share of pixels", fontsize=8)
    axes[0].legend(fontsize=8, frameon=False)
    return figure

"""Values of new images beside those that a method was trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.appearance import Drift
from llpbench.data.channels import LEVELS, RGB_CHANNELS
from llpbench.style import INK, MUTED, new_figure, strip, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"red": "#bb5566", "green": "#228833", "blue": "#004488"}
_ACROSS, _MOST = 5, 20
_MERGED = 4
"""Levels in a bin: stored numbers often have fewer values than there are levels."""


def draw_drift(drift: Drift) -> Figure:
    """Draw the distribution of each channel: filled where trained on, a line where new.

    The title of a panel says how far the two are apart, and how far they may be. Of more than
    twenty channels those are drawn that lie farthest outside.
    """
    channels = drift.known.channels
    chosen = sorted(drift.worst[:_MOST])
    rows = -(-len(chosen) // _ACROSS)
    figure = new_figure(width=13, height=2.6 * rows)
    axes = figure.subplots(rows, _ACROSS, squeeze=False).ravel()
    for axis, number in zip(axes, chosen, strict=False):
        _draw_channel(axis, drift, number)
    for axis in axes[len(chosen) :]:
        axis.set_axis_off()
    axes[0].set_ylabel("share of pixels", fontsize=8)
    axes[0].legend(fontsize=8, frameon=False)
    if len(chosen) < len(channels):
        figure.suptitle(f"the {len(chosen)} worst of {len(channels)} channels", fontsize=10)
    return figure


def _draw_channel(axis: Axes, drift: Drift, number: int) -> None:
    channel, limit = drift.known.channels[number], drift.limit[number]
    measure = drift.measure[number]
    bins = LEVELS if channel in RGB_CHANNELS else LEVELS // _MERGED
    edges = channel.low + channel.step * np.linspace(0, LEVELS, bins + 1)
    known, new = (
        one.shares[number].reshape(bins, -1).sum(axis=1) / channel.width
        for one in (drift.known, drift.new)
    )
    colour = _COLOURS.get(channel.name, INK) if channel in RGB_CHANNELS else INK
    axis.stairs(known, edges, fill=True, color=MUTED, alpha=0.5, label="training")
    axis.stairs(new, edges, color=colour, label="new")
    verdict = "outside" if measure > limit else "inside"
    axis.set_title(
        f"{wrapped(channel.name, 2.4, 9)}\n{measure:.2f} of {limit:.2f}, {verdict}", fontsize=9
    )
    axis.set(xlim=(edges[0], edges[-1]), ylim=(0, 1.5 * (known.max() or 1)), yticks=[])
    strip(axis)

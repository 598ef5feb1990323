"""The one colour bar of all maps of shares: from 0, which is white, to 1, a strip a class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.style import INK, MUTED, share_colours, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED = 15
"""Strips with a name beside them; more are as thin as lines of text cannot be."""
_STRIP, _LENGTH = 0.13, 2.6
"""Height of a strip and length of the bar in inches."""


def bar_height(count: int) -> float:
    """Inches that the bar of so many classes takes, with its texts."""
    return _strips(count) + 0.75


def draw_share_bar(
    panels: Iterable[Axes],
    names: Sequence[str],
    colours: Sequence[str],
    *,
    span: tuple[float, float],
) -> Axes:
    """Draw the colours of shares below panels, which all are shown on this scale.

    Parameters
    ----------
    panels : iterable of Axes
        They make room for it.
    names, colours : sequence of str
        Of the classes, ``#rrggbb``; a single class has one strip without a name.
    span : tuple of float
        Width and height of all panels together, in inches.

    Returns
    -------
    Axes
        Of the bar: 0 on the left, 1 on the right.
    """
    from matplotlib.colorbar import make_axes

    parents = list(panels)
    count = len(names)
    high = _strips(count)
    size: dict[str, Any] = {
        "shrink": min(1.0, _LENGTH / span[0]),
        "fraction": min(0.5, high / span[1]),
    }
    axis, _ = make_axes(parents, location="bottom", aspect=_LENGTH / high, pad=0.03, **size)
    levels = np.linspace(0, 1, 256)
    strips = np.stack([share_colours(colour)(levels) for colour in colours])
    axis.imshow(strips, extent=(0, 1, count, 0), aspect="auto", interpolation="nearest")
    named = 1 < count <= MOST_NAMED
    axis.set_yticks(np.arange(count) + 0.5 if named else [], map(short, names) if named else [])
    axis.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axis.tick_params(labelsize=7, length=2, color=MUTED)
    axis.tick_params(axis="y", length=0)
    axis.spines[:].set(color=INK, linewidth=0.5)
    which = f" that is {short(names[0])}" if count == 1 else ""
    axis.set_xlabel(f"share of the chip{which}", fontsize=8)
    return axis


def _strips(count: int) -> float:
    return max(_STRIP * min(count, MOST_NAMED), 0.16)

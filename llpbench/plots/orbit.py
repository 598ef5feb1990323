"""The error of training on board against what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import printable
from llpbench.style import DISTINCT, new_figure, strip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_PANELS: Sequence[tuple[str, str, float]] = (
    ("number", "passes", 1),
    ("uplinked_labels", "label proportions sent up (bytes)", 1),
    ("cpu_seconds", "processor seconds of training", 1),
    ("downlinked_model", "sent down after passes, all together (kB)", 1e3),
)
_LETTERS = 80
"""In a line of a title."""
_MARKS: dict[str, Any] = {"marker": "o", "markersize": 3.5, "lw": 1.2}


def draw_orbit(passes: pd.DataFrame, title: str) -> Figure:
    """Draw the error of val divisions after each pass against four costs.

    Parameters
    ----------
    passes : DataFrame
        A row a pass, see :class:`llpbench.orbit.record.Pass`.
    title : str
        What was trained, and on what.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(width=7.0, height=5.0)
    axes = figure.subplots(2, 2, sharey=True).ravel()
    for axis, (name, label, unit) in zip(axes, _PANELS, strict=True):
        axis.plot(passes[name] / unit, passes["mae"], color=DISTINCT[0], **_MARKS)
        axis.set_xlabel(label, fontsize=8)
        strip(axis)
    if passes["downlinked_statistics"].notna().all():
        _add_statistics(axes[3], passes)
    axes[0].set_ylim(0, 1.08 * passes["mae"].max())
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    for axis in axes:
        axis.set_xlim(left=0)
    for axis in axes[::2]:
        axis.set_ylabel("MAE of val divisions", fontsize=8)
    figure.suptitle("\n".join(wrap(printable(title), _LETTERS)), fontsize=10)
    return figure


def _add_statistics(axis: Any, passes: pd.DataFrame) -> None:
    """Show what is sent instead of the model, and name both."""
    sent = passes["downlinked_statistics"].astype(float) / 1e3
    axis.lines[0].set_label("a model after each pass")
    axis.plot(sent, passes["mae"], color=DISTINCT[1], label="or the sums over divisions", **_MARKS)
    axis.legend(frameon=False, fontsize=8)


_MODELS = {
    "unchanged": ("of the first season, as it was", {"ls": "--", "lw": 1.2}),
    "updated": ("updated with what came", _MARKS),
    "alone": ("of this season alone", _MARKS),
}


def draw_drift(passes: pd.DataFrame, title: str) -> Figure:
    """Draw the error of a further season against its passes and the bytes sent up in it.

    Parameters
    ----------
    passes : DataFrame
        See :meth:`llpbench.orbit.record.OrbitRecord.drift_table`.
    title : str
        What was trained, and on what.
    """
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(width=7.0, height=3.4)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (name, label, unit) in zip(axes, _PANELS[:2], strict=True):
        for colour, (model, (said, look)) in zip(DISTINCT, _MODELS.items(), strict=False):
            axis.plot(passes[name] / unit, passes[model], color=colour, label=said, **look)
        axis.set_xlabel(f"{label}, in this season", fontsize=8)
        axis.set_xlim(left=0)
        strip(axis)
    axes[0].set_ylim(0, 1.08 * float(np.nanmax(passes[list(_MODELS)].to_numpy(float))))
    axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[0].set_ylabel("MAE of its val divisions", fontsize=8)
    axes[1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.suptitle("\n".join(wrap(printable(title), _LETTERS)), fontsize=10)
    return figure

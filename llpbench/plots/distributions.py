"""Class shares as divisions know them, against those of chips; sizes of divisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError
from llpbench.style import INK, MUTED, category_colours, draw_shares, new_figure, strip

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_distributions(ds: xr.Dataset) -> Figure:
    """Draw class shares of divisions and of chips: their means and spreads; sizes of divisions.

    Parameters
    ----------
    ds : Dataset
        With shares of chips; all splits, grouped or not.

    Returns
    -------
    Figure
        Means of what divisions know (faint, by area of their chips) beside those counted on
        chips; for each class the middle 50 % and 90 % of divisions and of chips, the widths
        between which are what labels of divisions do not tell; how many chips divisions own.

    Raises
    ------
    LLPBenchError
        If the shares of chips were taken away, or no chip has any.
    """
    if "chip_proportions" not in ds or ds["chip_proportions"].isnull().all():
        raise LLPBenchError("distributions of chips need their shares, and this dataset has none")
    grouped = ds.llp.group()
    chips = _known(grouped["chip_proportions"].to_numpy())
    divisions = _known(grouped["division_proportions"].to_numpy())
    targets = _known(grouped["target"].to_numpy())
    names, colours = grouped["category_name"].to_numpy(), category_colours(grouped)
    figure = new_figure(width=12, height=1.6 + 0.42 * max(len(names), 5))
    means, spreads, sizes = figure.subplots(1, 3, width_ratios=[1, 1.15, 0.85])
    shares = {"divisions": targets.mean(axis=0), "chips": chips.mean(axis=0)}
    draw_shares(means, shares, names, colours)
    means.set_xlim(0, 1.05 * max(map(np.max, shares.values())))
    means.set_ylim(len(names) - 0.5, -0.5)
    means.set_xlabel("mean share", fontsize=9)
    means.set_title("divisions (faint) and chips", fontsize=10)
    strip(means)
    _draw_spreads(spreads, divisions, chips, colours)
    _draw_sizes(sizes, grouped["own_division"].to_numpy())
    figure.suptitle(f"Class shares · {ds.llp.info.title}", fontsize=11)
    return figure


def _known(shares: NDArray[np.float32]) -> NDArray[np.float64]:
    return shares[np.isfinite(shares).all(axis=1)].astype(np.float64)


def _draw_spreads(
    axis: Axes, divisions: NDArray[np.float64], chips: NDArray[np.float64], colours: list[str]
) -> None:
    places = np.arange(len(colours))
    for shares, offset, opaque in ((divisions, -0.2, 0.4), (chips, 0.2, 1.0)):
        lowest, low, middle, high, highest = np.quantile(
            shares, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0
        )
        at = places + offset
        axis.hlines(at, lowest, highest, color=MUTED, linewidth=1)
        axis.barh(
            at, high - low, 0.3, left=low, color=colours, alpha=opaque, edgecolor=INK, linewidth=0.4
        )
        axis.vlines(middle, at - 0.17, at + 0.17, color="black", linewidth=1.6)
    axis.set_yticks(places, [])
    axis.set(xlim=(0, 1), ylim=(len(colours) - 0.5, -0.5))
    axis.set_xlabel("share: median, middle 50 % (bar) and 90 % (line)", fontsize=9)
    axis.set_title("spread among divisions (faint) and among chips", fontsize=10)
    strip(axis)


def _draw_sizes(axis: Axes, own: NDArray[np.str_]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    counts = np.unique(own[own != ""], return_counts=True)[1]
    edges = np.geomspace(1, max(counts.max(), 2) + 1, 16).round(6)
    axis.hist(counts, bins=np.unique(np.ceil(edges)).tolist(), color=MUTED, edgecolor="white")
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.axvline(float(np.median(counts)), color="black", linewidth=1.6)
    axis.set_xlabel(f"chips that a division owns (median {np.median(counts):g})", fontsize=9)
    axis.set_ylabel("divisions", fontsize=9)
    axis.yaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_title(f"sizes of {len(counts):,} divisions", fontsize=10)
    strip(axis)

"""A handful of chips: images, labels, and what is known of their shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.picture import View
from llpbench.errors import LLPBenchError
from llpbench.style import (
    INK,
    category_colours,
    draw_image,
    draw_labels,
    draw_shares,
    new_figure,
    strip,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 6
"""Chips in the picture."""


def draw_samples(ds: xr.Dataset, rgb: Sequence[str] | None = None) -> Figure:
    """Draw a mixed chip for each class: image, labels, target beside its own shares.

    Parameters
    ----------
    ds : Dataset
        With labels, grouped or not.
    rgb : sequence of str, optional
        Bands that are shown, as of ``ds.llp.plot_chip``.

    Returns
    -------
    Figure
        A column a chip, at most six of them; colours are those of the class groups.

    Raises
    ------
    LLPBenchError
        If there are no labels.
    """
    if "label" not in ds or "chip_proportions" not in ds:
        raise LLPBenchError("sample chips are drawn with their labels, and this dataset has none")
    grouped = ds.llp.group()
    chosen = choose_samples(grouped["chip_proportions"].to_numpy())
    part, view = grouped.isel(chip=chosen), View.of(grouped, rgb)
    images = view.paint(view.values(part))
    colours, names = category_colours(grouped), grouped["category_name"].to_numpy()
    present = np.flatnonzero(_largest_share(part) > 0.005)
    figure = new_figure(width=1.2 + 2.3 * len(chosen), height=5.2 + 0.24 * len(present))
    axes = figure.subplots(
        3, len(chosen), squeeze=False, height_ratios=[2.2, 2.2, 0.6 + 0.24 * len(present)]
    )
    for number in range(len(chosen)):
        chip = part.isel(chip=number)
        draw_image(axes[0, number], images[number])
        draw_labels(axes[1, number], chip["label"].to_numpy(), colours)
        axes[0, number].set_title(chip["chip"].item(), fontsize=7, color=INK)
        _draw_both(axes[2, number], chip.isel(category=present), names, colours, present)
        if number:
            axes[2, number].set_yticklabels([])
    for row, text in enumerate((view.title.replace(" (", "\n("), "labels")):
        axes[row, 0].set_ylabel(text, fontsize=9)
    figure.supxlabel("share as the divisions know it (faint) and of the chip", fontsize=9)
    figure.suptitle(f"Chips · {ds.llp.info.title}", fontsize=11)
    return figure


def choose_samples(shares: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Choose for each class the most mixed of the tenth of the chips that have most of it.

    Of the most common classes, in their order, at most six; each chip once. The most mixed is that
    of the highest entropy.

    Parameters
    ----------
    shares : ndarray, shape (chip, category)
        NaN where a chip has no label; some chip must have one.

    Examples
    --------
    >>> choose_samples(np.array([[1.0, 0.0], [0.0, 1.0]]))
    array([0, 1])
    """
    known = np.isfinite(shares).all(axis=1)
    if not known.any():
        raise LLPBenchError("sample chips are drawn with their labels, and no chip has any")
    filled = np.where(known[:, np.newaxis], shares, 0)
    entropy = -(filled * np.log(np.where(filled > 0, filled, 1))).sum(axis=1)
    common = np.sort(np.argsort(-filled.sum(axis=0), kind="stable")[:MOST])
    most = np.quantile(filled[known], 0.9, axis=0, method="lower")
    rich = (filled >= most) & (filled > 0)
    chosen = [np.where(rich[:, n], entropy, -np.inf).argmax() for n in common if rich[:, n].any()]
    return np.array(list(dict.fromkeys(chosen)))


def _largest_share(part: xr.Dataset) -> NDArray[np.float64]:
    both = np.concatenate([part["chip_proportions"].to_numpy(), part["target"].to_numpy()])
    return np.asarray(np.nan_to_num(both).max(axis=0))


def _draw_both(
    axis: Axes,
    chip: xr.Dataset,
    names: NDArray[np.str_],
    colours: list[str],
    present: NDArray[np.intp],
) -> None:
    shares = {"target": chip["target"].to_numpy(), "chip": chip["chip_proportions"].to_numpy()}
    draw_shares(axis, shares, names[present], [colours[number] for number in present])
    axis.set(title="", xlabel="")
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    strip(axis)

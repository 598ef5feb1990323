"""Single chips: image, labels, shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.picture import View
from llpbench.errors import UnknownNameError, unknown
from llpbench.style import (
    category_colours,
    draw_image,
    draw_labels,
    draw_shares,
    new_figure,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def take_chip(ds: xr.Dataset, chip: str) -> xr.Dataset:
    """Take the chip of an id out of a dataset, which must have it."""
    if chip not in ds.indexes["chip"]:
        raise UnknownNameError(unknown("chip", chip, map(str, ds["chip"].to_numpy())))
    return ds.sel(chip=chip)


def draw_chip(chip: xr.Dataset, rgb: Sequence[str] | None = None) -> Figure:
    """Draw one chip, grouped or not: its image, its labels if they are there, and its shares.

    The bars are of the target that division supervision gives, beside the chip's own shares if they
    were not taken away. Which bands are shown says :meth:`~llpbench.data.picture.View.of`.
    """
    view = View.of(chip, rgb)
    colours = category_colours(chip)
    has_labels = "label" in chip
    figure = new_figure(width=11 if has_labels else 7.5, height=3.6)
    axes = list(figure.subplots(1, 3 if has_labels else 2))
    draw_image(axes[0], view.paint(view.values(chip)))
    axes[0].set_title(view.title)
    if has_labels:
        draw_labels(axes[1], chip["label"].to_numpy(), colours)
        axes[1].set_title("labels")
    shares = {"target": chip["target"].to_numpy()}
    if "chip_proportions" in chip:
        shares["chip"] = chip["chip_proportions"].to_numpy()
    present = np.nan_to_num(np.array(list(shares.values()))).max(axis=0) > 0
    draw_shares(
        axes[-1],
        {name: values[present] for name, values in shares.items()},
        chip["category_name"].to_numpy()[present],
        [colour for colour, here in zip(colours, present, strict=True) if here],
    )
    figure.suptitle(f"{chip['chip'].item()} · {chip.llp.info.title}")
    return figure

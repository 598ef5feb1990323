"""What all pictures share: colours by category, sizes, small drawing steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def new_figure(*, width: float = 7.0, height: float = 4.5) -> Figure:
    """Make an empty figure that belongs to no window.

    Parameters
    ----------
    width, height : float
        In inches.

    Returns
    -------
    Figure
    """
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", dpi=150)


def category_colours(ds: xr.Dataset) -> list[str]:
    """Colours of the categories of a dataset, the same in every picture.

    Parameters
    ----------
    ds : Dataset
        Grouped or not.

    Returns
    -------
    list of str
        ``#rrggbb``, in the order of the categories.
    """
    labels = ds.llp.label_set
    parts = labels.groups if ds.llp.is_grouped else labels.classes
    return [part.colour for part in parts]


def draw_labels(axis: Axes, label: NDArray[np.uint8], colours: Sequence[str]) -> None:
    """Draw class numbers in the colours of their categories; no label is white.

    Parameters
    ----------
    axis : Axes
    label : ndarray of uint8, shape (y, x)
    colours : sequence of str
    """
    from matplotlib.colors import to_rgb

    table = np.ones((256, 3))
    table[: len(colours)] = [to_rgb(colour) for colour in colours]
    axis.imshow(table[label], interpolation="nearest")


def draw_shares(
    axis: Axes,
    shares: Mapping[str, NDArray[Any]],
    names: Sequence[str] | NDArray[np.str_],
    colours: Sequence[str],
) -> None:
    """Draw horizontal bars of shares, those of several kinds under one another.

    Parameters
    ----------
    axis : Axes
    shares : mapping of str to ndarray, shape (category,)
        What each kind is called, and its shares; the first is drawn faintly.
    names, colours : sequence of str
        Of the categories.
    """
    height = 0.8 / len(shares)
    places = np.arange(len(names))
    for number, (kind, values) in enumerate(shares.items()):
        opaque = 1.0 if number == len(shares) - 1 else 0.4
        axis.barh(
            places + (number - (len(shares) - 1) / 2) * height,
            np.nan_to_num(values),
            height,
            color=colours,
            alpha=opaque,
            edgecolor="#333333",
            linewidth=0.4,
            label=kind,
        )
    axis.set_yticks(places, names)
    axis.invert_yaxis()
    axis.set_xlim(0, 1)
    axis.set_xlabel("share")
    axis.set_title(" (faint) and ".join(shares))

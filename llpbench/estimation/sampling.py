"""Drawing chips to label, stratified by what is predicted, and how much labels will tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.chip_outlines import chip_outlines
from llpbench.data.geometry import to_degrees
from llpbench.errors import BuildError
from llpbench.estimation.labels import STRATUM, WEIGHT
from llpbench.writing import replace_text

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

FloatArray = NDArray[np.float64]

FEWEST = 5
"""Chips of a stratum, where it has as many: fewer tell little of how chips differ."""

_Z = 1.959964
"""Of a normal distribution, for 95 %."""


def draw_sample(
    shares: FloatArray, count: int, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray]:
    r"""Draw chips at random within strata of the class predicted most.

    Strata get chips in proportion to :math:`N_h S_h` (Neyman allocation: Cochran, Sampling
    Techniques, 3rd edition 1977, section 5.5; for maps, Olofsson et al., Remote Sensing of
    Environment 2014, 148, 42-57), and at least 5. The variance :math:`S_h^2` of what a map leaves
    unsaid is not known before there are labels; it is taken to be in proportion to the mean of
    :math:`\sum_k p_k (1 - p_k)`, so that chips that are surely of one class are seldom drawn.

    Parameters
    ----------
    shares : ndarray, shape (chip, category)
        Predicted, from 0 to 1.
    count : int
        Chips to draw.
    seed : int
        Of the draw.

    Returns
    -------
    chip : ndarray of int, shape (count,)
        Positions, sorted.
    stratum : ndarray of int, shape (count,)
        The number of the class predicted most.
    weight : ndarray, shape (count,)
        How many chips of its stratum each stands for.

    Raises
    ------
    BuildError
        If there are fewer chips than that, or too few for two of each stratum.

    Examples
    --------
    >>> shares = np.repeat([[0.9, 0.1], [0.4, 0.6]], [30, 10], axis=0)
    >>> chip, stratum, weight = draw_sample(shares, 12)
    >>> np.bincount(stratum).tolist(), weight.sum().round(6)
    ([7, 5], np.float64(40.0))
    """
    if count > len(shares):
        raise BuildError(f"{count} chips cannot be drawn of {len(shares)}; draw fewer")
    strata, sizes = _strata(shares)
    drawn = allocate(sizes, _unsaid(shares, strata), count)
    generator = np.random.default_rng(seed)
    chip = np.sort(
        np.concatenate(
            [
                generator.choice(np.flatnonzero(strata == stratum), number, replace=False)
                for stratum, number in enumerate(drawn)
                if number
            ]
        )
    )
    stratum = strata[chip]
    return chip, stratum, (sizes / np.maximum(drawn, 1))[stratum]


def _strata(shares: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The class predicted most of each chip, and how many chips each class has so."""
    strata = shares.argmax(axis=1)
    return strata, np.bincount(strata, minlength=shares.shape[1])


def allocate(sizes: NDArray[np.integer], spread: FloatArray, count: int) -> NDArray[np.int64]:
    """Share out a sample over strata.

    Parameters
    ----------
    sizes : ndarray of int, shape (stratum,)
        Chips of each.
    spread : ndarray, shape (stratum,)
        Standard deviation within each, in any unit.
    count : int
        Chips to draw, not more than there are.

    Raises
    ------
    BuildError
        If that is too few for two of each stratum.

    Examples
    --------
    >>> allocate(np.array([100, 50, 3]), np.array([1.0, 2.0, 1.0]), 43).tolist()
    [20, 20, 3]
    """
    least = np.minimum(sizes, min(FEWEST, max(2, count // max((sizes > 0).sum(), 1))))
    if least.sum() > count:
        raise BuildError(
            f"a sample has two chips of each of its {(sizes > 0).sum()} strata, {least.sum()} "
            f"chips in all, found {count}; draw more"
        )
    drawn = least.copy()
    wanted = sizes * np.maximum(spread, 1e-9)
    while drawn.sum() < count:  # one after the other to where most is wanted (Hamilton's quotas)
        drawn[np.argmax(np.where(drawn < sizes, wanted / np.maximum(drawn, 0.5), -1))] += 1
    return drawn


def fewest_chips(shares: FloatArray) -> int:
    """How many chips a sample has at least: two of each stratum, or its only one.

    Examples
    --------
    >>> fewest_chips(np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8]]))
    3
    """
    _of_chips, sizes = _strata(shares)
    return int(np.minimum(sizes, 2).sum())


def expected_widths(shares: FloatArray, counts: list[int]) -> pd.DataFrame:
    r"""How wide 95 % intervals of mean shares will be, by the number of labelled chips.

    Of the labels alone, :math:`2 z \sqrt{\sum_h (N_h / N)^2 (1 - f_h) S_h^2 / n_h}` (Cochran 1977,
    equation 5.6), with the spread of predicted shares within strata in the place of that of the
    truth, which is mostly larger. With the help of the map, intervals are narrower by the square
    root of the effective sample over the labels, which only labels can tell.

    Parameters
    ----------
    shares : ndarray, shape (chip, category)
        Predicted.
    counts : list of int
        Numbers of labelled chips, none below :func:`fewest_chips`.

    Returns
    -------
    DataFrame, shape (count, category)
        Shares, from 0 to 1.
    """
    strata, sizes = _strata(shares)
    within = np.stack(
        [
            shares[strata == h].var(axis=0, ddof=1) if n > 1 else np.zeros(shares.shape[1])
            for h, n in enumerate(sizes)
        ]
    )
    widths = {}
    for count in counts:
        drawn = allocate(sizes, _unsaid(shares, strata), count)
        part = (sizes / sizes.sum()) ** 2 * (1 - drawn / np.maximum(sizes, 1))
        widths[count] = 2 * _Z * np.sqrt((part / np.maximum(drawn, 1)) @ within)
    return pd.DataFrame.from_dict(widths, orient="index").rename_axis("labels")


def sample_table(
    part: xr.Dataset, chip: NDArray[np.intp], stratum: NDArray[np.intp], weight: FloatArray
) -> gpd.GeoDataFrame:
    """Make the table to be filled in of a drawn sample.

    Returns
    -------
    GeoDataFrame
        ``chip``, ``stratum`` (the class predicted most), ``weight``, an empty column for each class
        and the chip's outline, in degrees.
    """
    import geopandas as gpd

    names = part["category_name"].to_numpy()
    across = bool(part["bounds"].to_numpy()[:, 2].max() > 180)
    outlines = to_degrees(chip_outlines(part).iloc[chip], across=across).reset_index(drop=True)
    columns = {"chip": part["chip"].to_numpy()[chip], STRATUM: names[stratum], WEIGHT: weight}
    return gpd.GeoDataFrame({**columns, **dict.fromkeys(names, None)}, geometry=outlines)


def check_place(path: Path) -> None:
    """Refuse a file that could not be a new GeoJSON: one that is there may be filled in already.

    Raises
    ------
    BuildError
        Saying so.
    """
    if path.suffix.lower() not in (".geojson", ".json"):
        raise BuildError(f"a sample is written as GeoJSON: {path.name!r} must end in .geojson")
    if path.exists():
        raise BuildError(
            f"{str(path)!r} is there already, and labels may be filled in; choose another name, or "
            "remove it"
        )


def write_sample(table: gpd.GeoDataFrame, path: Path) -> None:
    """Write a sample to label as GeoJSON.

    Raises
    ------
    BuildError
        As of :func:`check_place`.
    """
    check_place(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.loads(table.to_json(drop_id=True))
    content.pop("crs", None)  # GeoJSON is in degrees (RFC 7946)
    replace_text(path, json.dumps(content, allow_nan=False) + "\n")


def _unsaid(shares: FloatArray, strata: NDArray[np.intp]) -> FloatArray:
    """Root of the mean of p (1 - p), summed over classes, in each stratum."""
    of_chips = (shares * (1 - shares)).sum(axis=1)
    count = np.bincount(strata, minlength=shares.shape[1])
    return np.sqrt(np.bincount(strata, of_chips, shares.shape[1]) / np.maximum(count, 1))

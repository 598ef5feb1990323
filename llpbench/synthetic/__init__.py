"""A made region of any size: the embedded default, and what tests are fed with.

Land cover is a function of place: smooth random fields at several scales, parcels, rivers. A
reader evaluates it for any chips in any order; divisions are counted on a sample of it.
"""

from __future__ import annotations

from typing import Final

from llpbench import catalog
from llpbench.errors import LLPBenchError
from llpbench.region import Region
from llpbench.synthetic.divisions import Divisions, divide
from llpbench.synthetic.places import CRS, boxes, centres, choose_places, encode, identifier
from llpbench.synthetic.proportions import division_proportions
from llpbench.synthetic.reader import SyntheticReader
from llpbench.synthetic.splits import bands

__all__ = ["SyntheticReader", "synthesize"]

_CHIPS: Final = range(10, 1_000_001)


def synthesize(label_set: str, chips: int, seed: int) -> Region:
    """Make a region.

    The same seed gives the same chips, imagery and divisions with either label set.

    Parameters
    ----------
    label_set : str
        ``"esaworldcover"`` or ``"humanpop"``.
    chips : int
        10 to 1,000,000.
    seed : int
        Of every random field, not negative.

    Returns
    -------
    Region
        Its pixels are made when they are read.

    Raises
    ------
    UnknownNameError
        If there is no such label set.
    LLPBenchError
        If the number of chips or the seed is out of range.

    Examples
    --------
    >>> region = synthesize("esaworldcover", chips=40, seed=0)
    >>> region.read(region.chips.index[:3]).image.shape
    (3, 100, 100, 3)
    """
    import geopandas as gpd
    import numpy as np
    import shapely

    labels = catalog.label_set(label_set)
    if chips not in _CHIPS:
        raise LLPBenchError(
            f"a synthetic region has {_CHIPS[0]:,} to {_CHIPS[-1]:,} chips, not {chips:,}: with "
            "fewer, a split would be empty"
        )
    places = choose_places(chips, seed)
    divisions, owners = divide(places, seed)
    reader = SyntheticReader(labels.name, seed)
    number = len(divisions.seats)
    runs = max(1, round(number**0.5 / 5))
    chip_table = gpd.GeoDataFrame(
        {
            "split": bands(divisions.seats, np.bincount(owners), runs)[owners],
            "split_chip": bands(centres(places), np.ones(chips), runs),
        },
        geometry=boxes(places),
        index=encode(places, seed),
        crs=CRS,
    )
    division_table = gpd.GeoDataFrame(
        {
            "name": [f"Division {1 + n}" for n in range(number)],
            "area_km2": shapely.area(divisions.outlines),
        },
        geometry=divisions.outlines,
        index=[identifier(n, seed) for n in range(number)],
        crs=CRS,
    )
    return Region(
        labels,
        chip_table.rename_axis("chip").to_crs("EPSG:4326"),
        division_table.rename_axis("division").to_crs("EPSG:4326"),
        division_proportions(divisions, reader, len(labels.classes)),
        reader,
    )

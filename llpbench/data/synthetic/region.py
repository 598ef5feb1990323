"""Putting a made region together."""

from __future__ import annotations

from typing import Final

import numpy as np

from llpbench import catalog
from llpbench.data import splitting
from llpbench.data.geometry import valid_polygons
from llpbench.data.region import Region
from llpbench.data.synthetic.divisions import divide
from llpbench.data.synthetic.places import (
    CRS,
    GRID,
    boxes,
    centres,
    choose_places,
    encode,
    identifier,
)
from llpbench.data.synthetic.proportions import division_proportions
from llpbench.data.synthetic.reader import SyntheticReader
from llpbench.errors import LLPBenchError

_CHIPS: Final = range(10, 1_000_001)


def synthesize(
    label_set: str,
    chips: int,
    seed: int,
    bands: int = 3,
    embedding: int = 0,
    season: str = "year",
) -> Region:
    """Make a region; its pixels are made when they are read.

    The same seed gives the same chips, imagery and divisions with either label set, on every
    machine. Divisions are Voronoi cells; some reach beyond the chips, and their proportions are
    of the whole cell, counted on every fifth pixel along both sides. ``split`` and
    ``split_chip`` are diagonal bands, 63 % train, 20 % test and 17 % val; a chip belongs to the
    split of the division it overlaps most.

    Parameters
    ----------
    label_set : str
        ``"esaworldcover"`` or ``"humanpop"``.
    chips : int
        10 to 1,000,000.
    seed : int
        Of every random field, not negative.
    bands : int
        Of images. 3 are red, green and blue bytes; 4 to 13 the same picture and more in
        reflectances of Sentinel-2, see :func:`~llpbench.data.synthetic.spectra.describe`; 0 for
        no images.
    embedding : int
        Features of an embedding, 2 to 1,024, see
        :func:`~llpbench.data.synthetic.embedding.embed`; 0 for none.
    season : str
        ``"year"`` or ``"autumn"``: the same chips, land cover and divisions, seen in another light,
        see :mod:`~llpbench.data.synthetic.seasons`.

    Examples
    --------
    >>> region = synthesize("esaworldcover", chips=40, seed=0)
    >>> region.read(region.chips.index[:3]).image.shape
    (3, 100, 100, 3)
    >>> region = synthesize("esaworldcover", 40, seed=0, bands=10, embedding=64)
    >>> region.read(region.chips.index[:3]).embedding.shape
    (3, 24, 24, 64)
    """
    import geopandas as gpd
    import shapely

    labels = catalog.label_set(label_set)
    if chips not in _CHIPS:
        raise LLPBenchError(
            f"a synthetic region has {_CHIPS[0]:,} to {_CHIPS[-1]:,} chips, not {chips:,}; with "
            "fewer a split could be empty: choose a number in that range"
        )
    if seed < 0:
        raise LLPBenchError(
            f"the seed of a synthetic region is 0 or more, not {seed}; choose another"
        )
    reader = SyntheticReader(labels.name, seed, bands, embedding, season)
    images = reader.images
    places = choose_places(chips, seed)
    divisions, owners = divide(places, seed)
    number = len(divisions.seats)
    runs = max(1, round(number**0.5 / 3.5))
    chip_table = gpd.GeoDataFrame(
        {
            "split": splitting.bands(divisions.seats, np.bincount(owners), runs)[owners],
            "split_chip": splitting.bands(centres(places), np.ones(chips), runs),
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
    outlined = division_table.rename_axis("division").to_crs("EPSG:4326")
    # A hair's breadth in the plane may have none in degrees.
    outlined.geometry = valid_polygons(outlined.geometry.to_numpy())
    return Region(
        labels,
        chip_table.rename_axis("chip").to_crs("EPSG:4326"),
        outlined,
        division_proportions(divisions, reader, len(labels.classes)),
        reader,
        GRID,
        images=images,
    )

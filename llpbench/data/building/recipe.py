"""What a region is made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llpbench.data.building.assignment import Splitting
from llpbench.data.building.chips import MOST_MISSING
from llpbench.data.building.embedding_origin import Origin
from llpbench.data.building.items import name_of
from llpbench.data.building.legend import Legend
from llpbench.data.building.legends import AUTO
from llpbench.errors import BuildError

CHIP_KM = 1.0
"""Side of a chip where nobody says another."""


@dataclass(frozen=True)
class Recipe:
    """What a region is made of.

    Parameters
    ----------
    images : sequence of Path
        Rasters of any bands, folders of them, or patterns such as ``tiles/*.tif``; where they
        overlap, the first counts. Files of one band each are put together by their names.
    labels : sequence of Path
        Rasters of classes, if there are any, in the same ways.
    divisions : Path or None
        Outlines; None makes one division of everything.
    layer : str or None
        The layer of outlines; None for the only one of polygons.
    division_id : str or None
        The column of their ids, in either file; None to find what outlines and table have in
        common.
    shares : Path or None
        A table of shares or areas by division (csv, xlsx, ods, parquet); without it they are
        counted on the labels.
    sheet : str or None
        Name or number of the sheet of that table.
    columns : sequence of (str, str)
        Class and column of that table, where they are not called alike.
    unit : str or None
        ``fraction``, ``percent``, ``ha``, ``km2`` or ``m2``; None to tell it by heading and sums.
    renormalise : bool
        Whether sums of that table may be off by 10 %.
    legend : str or Legend
        What the labels' numbers mean: a name, a file, ``auto``, or the legend itself.
    chip_km : float or None
        Side of a chip; None for 1 km, or what a trained method is used to.
    crs : str or None
        Of the grid, see :func:`~llpbench.data.building.area.choose_grid`; None for ``auto``, or
        what a trained method is used to.
    bands : sequence of int or str, or None
        Each by its number, its name or what it shows; None for all but transparency and classes,
        of items for red, green and blue.
    scale : (float, float) or None
        Image values that become 0 and 255; None for 0 to 255 of bytes, 0 to 3000 of other whole
        numbers and 0 to 0.3 of fractions, if bands are red, green and blue, else for numbers as
        they are.
    boa_offset : str
        Whether a thousand was added to numbers of Sentinel-2: ``auto`` to read it in their
        metadata, ``none``, or ``-1000``, see :mod:`~llpbench.data.building.reflectance`.
    clouds : bool
        Whether pixels are missing that the scene classification of Sentinel-2 calls clouds, their
        shadows, or saturated; of items, in each before the median.
    max_missing : float
        Share of a chip's pixels that may be missing, from 0 to less than 1.
    label_band : int or None
        Which band of the labels holds the classes; None for the only one.
    splitting : Splitting
        How chips are split.
    embeddings : sequence of Path
        GeoTIFFs or Zarr folders of an embedding, beside images or in place of them.
    embedding_coding : {"alphaearth", "tessera", "linear"}, optional
        How their numbers become values; None to tell it by what they say.
    embedding_version : str
        Of the model that made them, where they do not say it.
    embedding_year : int or None
        Which year is read of several, or of which they are, where they do not say it.
    items : str or None
        In place of images, a list of STAC items: a file, or an address on the web. The image is
        the median of all items.
    mask : str or None
        The asset of items whose pixels, where they are not 0, hide the ground.
    """

    images: Sequence[Path] = ()
    labels: Sequence[Path] = ()
    divisions: Path | None = None
    layer: str | None = None
    division_id: str | None = None
    shares: Path | None = None
    sheet: str | None = None
    columns: Sequence[tuple[str, str]] = ()
    unit: str | None = None
    renormalise: bool = False
    legend: str | Legend = AUTO
    chip_km: float | None = None
    crs: str | None = None
    bands: Sequence[int | str] | None = None
    scale: tuple[float, float] | None = None
    boa_offset: str = "auto"
    clouds: bool = False
    max_missing: float = MOST_MISSING
    label_band: int | None = None
    splitting: Splitting = field(default_factory=Splitting)
    embeddings: Sequence[Path] = ()
    embedding_coding: str | None = None
    embedding_version: str = ""
    embedding_year: int | None = None
    items: str | None = None
    mask: str | None = None

    def __post_init__(self) -> None:
        if not self.has_images and not self.embeddings:
            raise BuildError("a region needs --image or --stac, --embedding, or both")
        if self.images and self.items is not None:
            raise BuildError("--image and --stac are two images: give one of them")
        if self.mask is not None and (self.items is None or self.clouds):
            raise BuildError("--mask names an asset of --stac, in place of --clouds")

    @property
    def has_images(self) -> bool:
        """Whether there are images beside embeddings."""
        return bool(self.images) or self.items is not None

    @property
    def names(self) -> list[str]:
        """What images, embeddings and labels are called."""
        items = [] if self.items is None else [name_of(self.items)]
        return items + [file.name for file in (*self.images, *self.embeddings, *self.labels)]

    @property
    def side_km(self) -> float:
        """Side of a chip, which is refused unless it can be one."""
        side = CHIP_KM if self.chip_km is None else self.chip_km
        if not 0 < side < math.inf:
            raise BuildError(f"--chip-km must be more than 0, found {side:g}")
        return side

    @property
    def embedding_origin(self) -> Origin:
        """What is stated of the embeddings."""
        return Origin(version=self.embedding_version, year=self.embedding_year)

    @property
    def crs_rule(self) -> str:
        """How the projection of the grid is chosen."""
        return self.crs or "auto"

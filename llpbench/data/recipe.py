"""How a region's images became the bytes of its chips: what a new image must be treated like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt

from llpbench.brief import Brief
from llpbench.data.imagery import Coding

MOST_SHOWN = 13
"""Bands that are listed; of more it is said how many there are."""


@dataclass(frozen=True)
class FileBand:
    """A band of a file: its number, from 1, and what the file calls it, if anything."""

    number: PositiveInt
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


@dataclass(frozen=True, repr=False)
class EmbeddingRecipe(Brief):
    """What the embedding was that became the cells of chips.

    Parameters
    ----------
    files : tuple of str
        Names of its files, the first hundred of them.
    model, version : str
        What made it; empty where nobody said it.
    year : int or None
        Of what the model saw.
    features : int
        How many it has.
    dtype : str
        Of the numbers in its files.
    coding : Coding
        How these become values.
    """

    files: tuple[str, ...]
    model: str
    version: str
    year: int | None = field(default=None, kw_only=True)
    features: PositiveInt
    dtype: str
    coding: Coding

    def __str__(self) -> str:
        """What was taken, as people read it.

        Examples
        --------
        >>> print(EmbeddingRecipe(("a.tif",), "AlphaEarth", "1", 64, "int8", Coding(), year=2024))
        embedding of AlphaEarth 1, 2024 with 64 features
        """
        model = " ".join(filter(None, (self.model, self.version))) or "an unknown model"
        year = f", {self.year}" if self.year else ""
        return f"embedding of {model}{year} with {self.features} features"


@dataclass(frozen=True, repr=False)
class CompositeRecipe(Brief):
    """How images of several days became one, pixel by pixel.

    Parameters
    ----------
    items : tuple of str
        Ids of the images in their catalogue, the first hundred of them.
    count : int
        How many there are.
    first, last : str
        Their first and last day, as ``2023-06-01``; empty where nobody said it.
    mask : str
        What said which pixels are hidden; empty for nothing.
    hidden : tuple of int
        Its numbers under which the ground is hidden; empty for all but 0.
    how : str
        What was made of the pixels that are not hidden.
    """

    items: tuple[str, ...]
    count: PositiveInt
    first: str
    last: str
    mask: str = ""
    hidden: tuple[int, ...] = ()
    how: Literal["median"] = "median"

    def __str__(self) -> str:
        """What was done, as people read it.

        Examples
        --------
        >>> print(CompositeRecipe(("a", "b"), 2, "2023-04-01", "2023-09-30", "SCL"))
        median of 2 items of 2023-04-01 to 2023-09-30, without what SCL hides
        """
        span = f" of {self.first} to {self.last}" if self.first else ""
        hidden = f", without what {self.mask} hides" if self.mask else ""
        return f"{self.how} of {self.count:,} items{span}{hidden}"


@dataclass(frozen=True, repr=False)
class ImageRecipe(Brief):
    """How pixels of image files became the bytes of chips.

    Parameters
    ----------
    files : tuple of str
        Names of the image files, the first hundred of them.
    bands : tuple of FileBand
        What was taken, in the first file or, where each file holds a band, in each.
    count : int
        Bands that there are.
    dtype : str
        Of the stored numbers.
    low, high : float or None
        Values that became 0 and 255; what lies between was spread evenly. None where numbers were
        kept as they are.
    scale, offset : float
        How stored numbers become values by the file's own tags: ``stored * scale + offset``.
    nodata : str
        The number that stands for a missing pixel, empty where the file names none.
    most_missing : float
        Part of a chip's pixels that could be missing, from 0 to 1; these became black.
    resampling : tuple of str
        How pixels came to lie on the grid: ``none``, ``average`` or ``bilinear``.
    pixel_m : float
        Side of the files' pixels on the ground, in metres.
    chip_km : float
        Side of a chip.
    crs, crs_rule : str
        The projection of the grid, and the rule by which it was chosen.
    legend : str
        What gave the classes.
    llpbench_version : str
        What did all this.
    clouds : bool
        Whether pixels that a scene classification calls clouds or shadows were made missing.
    embedding : EmbeddingRecipe or None
        What became the cells of chips, beside images or, without bands, in place of them.
    composite : CompositeRecipe or None
        Which images of a catalogue became one; None where files were tiles of one.
    """

    files: tuple[str, ...]
    bands: tuple[FileBand, ...]
    count: NonNegativeInt
    dtype: str
    low: FiniteFloat | None = field(default=None, kw_only=True)
    high: FiniteFloat | None = field(default=None, kw_only=True)
    scale: FiniteFloat
    offset: FiniteFloat
    nodata: str
    most_missing: FiniteFloat
    resampling: tuple[str, ...]
    pixel_m: PositiveFloat
    chip_km: PositiveFloat
    crs: str
    crs_rule: str
    legend: str
    llpbench_version: str
    clouds: bool = False
    embedding: EmbeddingRecipe | None = None
    composite: CompositeRecipe | None = None

    def select(self, known: Sequence[str], chosen: Sequence[str]) -> ImageRecipe:
        """The recipe of some bands, by the names that a dataset has for all, if it has these."""
        if len(known) != len(self.bands) or not set(chosen) <= set(known):
            return self
        return replace(self, bands=tuple(self.bands[known.index(name)] for name in chosen))

    @property
    def names(self) -> tuple[str, ...]:
        """What the bands are called; empty unless each has a name of its own."""
        names = tuple(band.name for band in self.bands)
        return names if all(names) and len(set(names)) == len(names) else ()

    @property
    def listed(self) -> str:
        """Numbers and names of the bands, the first of them where there are many."""
        left = len(self.bands) - MOST_SHOWN
        shown = ", ".join(map(str, self.bands[:MOST_SHOWN]))
        return shown + (f" and {left} more" if left > 0 else "")

    @property
    def limits(self) -> tuple[float, float] | None:
        """Values that became 0 and 255; None where numbers were kept."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def has_tags(self) -> bool:
        """Whether the file's own tags turn stored numbers into other values."""
        return (self.scale, self.offset) != (1, 0)

    def __str__(self) -> str:
        """What was done, as people read it.

        Examples
        --------
        >>> bands = FileBand(4, "B4"), FileBand(3, "B3"), FileBand(2)
        >>> print(ImageRecipe(("a.tif",), bands, 4, "uint16", 1, 0, "", 0.01, ("none",), 10, 1,
        ...                   "EPSG:32631", "auto", "corine", "0.1", low=0, high=3000))
        bands 4 (B4), 3 (B3), 2; 0 to 3000 became 0 to 255; chips of 1 km
        """
        numbers = "numbers as they are"
        if self.limits is not None:
            numbers = f"{self.low:g} to {self.high:g} became 0 to 255"
        parts = [f"bands {self.listed}", numbers] if self.bands else []
        parts += [str(part) for part in (self.composite, self.embedding) if part]
        return "; ".join([*parts, f"chips of {self.chip_km:g} km"])

"""How a region's images became the bytes of its chips: what a new image must be treated like."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import FiniteFloat, PositiveFloat, PositiveInt


@dataclass(frozen=True)
class Band:
    """A band of a file: its number, from 1, and what the file calls it, if anything."""

    number: PositiveInt
    name: str = ""

    def __str__(self) -> str:
        return f"{self.number} ({self.name})" if self.name else str(self.number)


@dataclass(frozen=True)
class ImageRecipe:
    """How pixels of image files became the bytes of chips.

    Parameters
    ----------
    files : tuple of str
        Names of the image files, the first hundred of them.
    bands : tuple of Band
        What was taken for red, green and blue, in the first file.
    count : int
        Bands that it has.
    dtype : str
        Of the stored numbers.
    low, high : float
        Values that became 0 and 255; what lies between was spread evenly.
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
    """

    files: tuple[str, ...]
    bands: tuple[Band, Band, Band]
    count: PositiveInt
    dtype: str
    low: FiniteFloat
    high: FiniteFloat
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

    @property
    def names(self) -> tuple[str, ...]:
        """What the bands are called; empty unless all of them are."""
        names = tuple(band.name for band in self.bands)
        return names if all(names) else ()

    @property
    def has_tags(self) -> bool:
        """Whether the file's own tags turn stored numbers into other values."""
        return (self.scale, self.offset) != (1, 0)

    def __str__(self) -> str:
        """What was done, as people read it.

        Examples
        --------
        >>> bands = Band(4, "B4"), Band(3, "B3"), Band(2)
        >>> print(ImageRecipe(("a.tif",), bands, 4, "uint16", 0, 3000, 1, 0, "", 0.01, ("none",),
        ...                   10, 1, "EPSG:32631", "auto", "corine", "0.1"))
        bands 4 (B4), 3 (B3), 2 for red, green, blue; 0 to 3000 became 0 to 255; chips of 1 km
        """
        bands = ", ".join(map(str, self.bands))
        return (
            f"bands {bands} for red, green, blue; {self.low:g} to {self.high:g} became 0 to 255; "
            f"chips of {self.chip_km:g} km"
        )

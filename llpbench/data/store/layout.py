"""What a store is made of: its files, its ``store.json``, its version."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from llpbench.brief import Brief
from llpbench.catalog import LabelSet, check_printable
from llpbench.data.grid import ChipGrid
from llpbench.data.imagery import IMAGE, RGB_ONLY, SIDES, Imagery
from llpbench.data.info import mark_synthetic
from llpbench.data.location import Where, locate
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import StoreError, examples, first_problem
from llpbench.reading import parse_json

FORMAT = 2
"""Version of the layout; a reader refuses newer ones. Of 1 are stores of red, green and blue bytes
that have no recipe."""

CHIPS = "chips.zarr"
DIVISIONS = "divisions.parquet"
INFO = "store.json"
LARGEST_INFO = 2**22
MOST_CHIPS = 2_000_000
"""Whose tables, all in memory, take the most that is read of any store."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
"""What a dataset may be called: files and folders are named after it."""

BLOCK = 512
"""Chips that one task writes, and whose pixels are hashed together: the unit of the digest."""
_SHARD_BYTES, _MOST_IN_SHARD = 2**24, BLOCK
_CHUNK_BYTES, _MOST_IN_CHUNK = 2**20, 32

Text = Annotated[str, Field(max_length=4000), AfterValidator(check_printable)]


def _check_grid(grid: ChipGrid) -> ChipGrid:
    """Refuse cells without a size, and a projection that is none."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not (math.isfinite(grid.west + grid.north) and 0 < grid.width < math.inf > grid.height > 0):
        raise ValueError("its cells have no place or no size")
    try:
        CRS.from_user_input(grid.crs)
    except CRSError as error:
        raise ValueError(f"{grid.crs!r:.80} is no projection") from error
    return grid


def _check_images(images: dict[str, Imagery]) -> dict[str, Imagery]:
    """Refuse none at all, names that stand twice, and images whose cells have scales."""
    if not images or images.keys() - SIDES.keys():
        raise ValueError(f"it has an image, an embedding or both, found {examples(images)}")
    for array, imagery in images.items():
        if len(set(imagery.names)) < len(imagery.names):
            raise ValueError(f"names of bands of its {array} stand more than once")
    if IMAGE in images and images["image"].coding.by_cell:
        raise ValueError("its image has scales of cells, which only an embedding has")
    return images


def files_of(images: Mapping[str, Imagery]) -> tuple[int, int]:
    """Chips in a file of pixels, and those of them that are compressed together.

    A power of two of them, so that a file of any array has at most 16 MB, and what a shuffled
    reader must touch at most 1 MB.

    Examples
    --------
    >>> files_of(RGB_ONLY)
    (512, 32)
    """
    largest = max(imagery.chip_bytes(array) for array, imagery in images.items())

    def fitting(most_bytes: int, most: int) -> int:
        return min(most, 2 ** int(math.log2(max(most_bytes // largest, 1))))

    return fitting(_SHARD_BYTES, _MOST_IN_SHARD), fitting(_CHUNK_BYTES, _MOST_IN_CHUNK)


def files_in_block(start: int, chips: int, images: Mapping[str, Imagery]) -> Iterator[slice]:
    """Chips of each file of the block that begins at a chip, of so many chips in all.

    Examples
    --------
    >>> list(files_in_block(512, 600, RGB_ONLY))
    [slice(512, 1024, None)]
    """
    step, _chunk = files_of(images)
    return (slice(first, first + step) for first in range(start, min(start + BLOCK, chips), step))


class StoreInfo(Brief, BaseModel):
    """The contents of ``store.json``.

    Parameters
    ----------
    format : int
        Version of the layout.
    chips, divisions : int
        How many it holds.
    synthetic : bool
        Whether it was made by a program and shows no real place.
    doi, source, source_md5 : str or None
        Where it comes from.
    licence, attribution : str
        What must be observed and said by whoever uses it.
    grid : ChipGrid or None
        What the chips stand on, where the source said it.
    recipe : ImageRecipe or None
        How images became the chips' bytes; since format 2.
    images : dict or None
        What ``image`` and ``embedding`` hold, those of them that there are; since format 2,
        see :attr:`imagery`.
    digest : str
        SHA-256 over the contents of all arrays, whatever their chunks and codecs.
    llpbench_version : str
        What wrote it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    title: Text
    chips: Annotated[int, Field(ge=1, le=MOST_CHIPS)]
    divisions: Annotated[int, Field(ge=0, le=10**7)]
    synthetic: bool = False
    doi: Text | None = None
    source: Text | None = None
    source_md5: Text | None = None
    licence: Text
    attribution: Text
    label_set: LabelSet
    grid: Annotated[ChipGrid, AfterValidator(_check_grid)] | None = None
    recipe: ImageRecipe | None = None
    images: Annotated[dict[str, Imagery], AfterValidator(_check_images)] | None = None
    digest: Text
    llpbench_version: Text

    @property
    def imagery(self) -> Mapping[str, Imagery]:
        """What ``image`` and ``embedding`` hold: red, green and blue where nothing is said."""
        return RGB_ONLY if self.images is None else self.images

    @property
    def shown_name(self) -> str:
        """The name as people read it: a made dataset says that it is."""
        return mark_synthetic(self.name, self.synthetic)


def read_info(where: Where) -> StoreInfo:
    """Read the ``store.json`` of a store."""
    location = locate(where)
    try:
        content = location.read(INFO, LARGEST_INFO)
    except FileNotFoundError:
        raise StoreError(
            f"{str(location)!r} is not a dataset: expected a folder with {INFO} and {CHIPS}; "
            "make one with `llpbench import`, `llpbench synthesize` or `llpbench download`"
        ) from None
    shown = str(location / INFO)
    raw = parse_json(content, shown, StoreError)
    version = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise StoreError(
            f"{location.name} has store format {version}, this llpbench reads up to {FORMAT}: "
            "upgrade llpbench"
        )
    try:
        return StoreInfo.model_validate(raw)
    except ValueError as error:
        raise StoreError(
            f"{shown} is damaged ({first_problem(error)}); make the store again"
        ) from error

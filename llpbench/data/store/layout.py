"""What a store is made of: its files, its ``store.json``, its version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from llpbench.catalog import LabelSet
from llpbench.data.grid import ChipGrid
from llpbench.data.info import mark_synthetic
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import StoreError, first_problem

FORMAT = 2
"""Version of the layout; a reader refuses newer ones. Of 1 are stores without a recipe."""

CHIPS = "chips.zarr"
DIVISIONS = "divisions.parquet"
INFO = "store.json"
LARGEST_INFO = 2**22

SHARD = 512
"""Chips in a file of pixels: what one task writes, and the unit of the digest."""
CHUNK = 32
"""Chips that are compressed together: what a shuffled reader must touch."""


class StoreInfo(BaseModel):
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
        How images became the chips' bytes; in stores of format 2 only.
    digest : str
        SHA-256 over the contents of all arrays, whatever their chunks and codecs.
    llpbench_version : str
        What wrote it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    name: Annotated[str, Field(min_length=1, max_length=200)]
    title: str
    chips: int
    divisions: int
    synthetic: bool = False
    doi: str | None = None
    source: str | None = None
    source_md5: str | None = None
    licence: str
    attribution: str
    label_set: LabelSet
    grid: ChipGrid | None = None
    recipe: ImageRecipe | None = None
    digest: str
    llpbench_version: str

    @property
    def shown_name(self) -> str:
        """The name as people read it: a made dataset says that it is."""
        return mark_synthetic(self.name, self.synthetic)


def read_info(path: Path) -> StoreInfo:
    """Read the ``store.json`` in a store's folder."""
    file = path / INFO
    if not file.is_file() or not (path / CHIPS).is_dir():
        raise StoreError(
            f"{str(path)!r} is not a dataset: expected a folder with {INFO} and {CHIPS}; "
            "make one with `llpbench import`, `llpbench synthesize` or `llpbench download`"
        )
    if file.stat().st_size > LARGEST_INFO:
        raise StoreError(f"{file} is {file.stat().st_size} bytes large, at most {LARGEST_INFO} fit")
    try:
        raw = json.loads(file.read_text(encoding="utf-8"))
        version = raw.get("format") if isinstance(raw, dict) else None
        if isinstance(version, int) and version > FORMAT:
            raise StoreError(
                f"{path.name} has store format {version}, this llpbench reads up to {FORMAT}: "
                "upgrade llpbench"
            )
        return StoreInfo.model_validate(raw)
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"{file} is damaged ({first_problem(error)}); make the store again"
        ) from error

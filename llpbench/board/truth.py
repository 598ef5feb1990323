"""Truth tables: all that is needed to score proportions, without the imagery.

A truth table is a dataset of one split without pixels: the same chips, divisions and overlaps,
and the shares counted on the labels in their place. :func:`llpbench.evaluate` takes it as it takes
the dataset, and gives the same scores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from llpbench.data.geometry import mix, overlap_matrix
from llpbench.data.info import DatasetInfo
from llpbench.data.parquet_files import check_columns, open_parquet
from llpbench.data.store.layout import NAME
from llpbench.data.text import fixed_width
from llpbench.errors import BoardError, examples, first_problem
from llpbench.scoring import train_mean
from llpbench.writing import replacing

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xarray as xr

FORMAT = 1
SPLIT = "test"

_METADATA_KEY = b"llpbench"
OVERLAPS = ("overlap_division", "overlap_area")
_ATTRIBUTES = (
    *("name", "title", "synthetic", "digest", "doi", "licence", "attribution", "label_set"),
    *("train_chips", "train_divisions"),
)


class Content(BaseModel):
    """What the metadata of a truth table must say; sizes follow from each other."""

    model_config = ConfigDict(frozen=True)

    categories: Annotated[list[str], Field(min_length=1, max_length=255)]
    divisions: list[str]
    division_proportions: list[list[float]]
    train_mean: list[float]
    attributes: dict[str, str | int]

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the table and the types they may have."""
        shares = {f"truth:{name}": ("double", "float") for name in self.categories}
        return {
            "chip": ("string", "large_string"),
            "division": ("string", "large_string"),
            **shares,
            "overlap_division": ("list<element: int32>", "list<item: int32>"),
            "overlap_area": ("list<element: float>", "list<item: float>"),
        }

    @model_validator(mode="after")
    def _check(self) -> Self:
        sizes = {len(row) for row in (*self.division_proportions, self.train_mean)}
        if sizes != {len(self.categories)} or len(self.divisions) != len(self.division_proportions):
            raise ValueError("its divisions, categories and shares differ in number")
        info = DatasetInfo.of_attributes(self.attributes)
        if not re.fullmatch(NAME, info.name):
            raise ValueError(f"{examples([info.name])} cannot name a dataset")
        if self.categories != [group.name for group in info.label_set.groups]:
            raise ValueError("its categories are not its class groups")
        return self


def make_truth(ds: xr.Dataset) -> xr.Dataset:
    """Count the truth of a dataset's test split, grouped.

    It has ``truth(chip, category)``, ``division_proportions``, ``target``, ``train_mean``, the
    overlap table; no ``image`` and no ``label``. Its attributes also count chips and divisions of
    the train split.
    """
    grouped = ds.llp.group()
    part, train = grouped.llp.split(SPLIT), grouped.llp.split("train")
    if not part.sizes["chip"]:
        raise BoardError(f"the dataset {ds.llp.info.name!r} has no test split")
    shares = part.llp.truth().drop_vars(["category", "category_name"]).variable
    if not np.isfinite(shares).all(axis=1).any():
        raise BoardError(
            f"no chip of the test split of {ds.llp.info.name!r} has a label, so nothing can be "
            "scored on it; a truth table needs a dataset with labels"
        )
    null = train_mean(grouped)
    variables = part[["division_proportions", "target", "overlap_chip", *OVERLAPS]]
    return variables.assign(
        truth=shares,
        train_mean=("category", np.full(part.sizes["category"], np.nan) if null is None else null),
    ).assign_attrs(train_chips=train.sizes["chip"], train_divisions=train.sizes["division"])


def write_truth(truth: xr.Dataset, path: Path) -> None:
    """Write a truth table as ``truth/<dataset>.parquet``, in one step.

    It has a row for each chip: its shares, the division that owns it, and lists of the divisions
    it overlaps and by how many km²; what concerns divisions and the dataset is in the metadata.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [str(name) for name in truth["category_name"].to_numpy()]
    content = {
        "format": FORMAT,
        "categories": names,
        "divisions": [str(division) for division in truth["division"].to_numpy()],
        "division_proportions": truth["division_proportions"].to_numpy().tolist(),
        "train_mean": truth["train_mean"].to_numpy().tolist(),
        "attributes": {key: truth.attrs[key] for key in _ATTRIBUTES},
    }
    table = pa.table(
        {
            "chip": truth["chip"].to_numpy().astype(object),
            "division": truth["own_division"].to_numpy().astype(object),
            **{f"truth:{name}": truth["truth"].to_numpy()[:, k] for k, name in enumerate(names)},
            **_overlap_columns(truth),
        }
    ).replace_schema_metadata({_METADATA_KEY: json.dumps(content).encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        pq.write_table(table, partial, compression="zstd", compression_level=19)


def read_truth(path: Path) -> xr.Dataset:
    """Read a truth table as :func:`make_truth` made it."""
    if not path.exists():
        raise BoardError(
            f"the board has no truth table of {path.stem!r}; who has the dataset makes it with "
            f"`llpbench leaderboard truth {path.stem}`"
        )
    with readable(path), open_parquet(path) as file:
        content = read_content(file, path)
        return to_dataset(file.read().combine_chunks(), content)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Name the table where pyarrow, pandas or numpy meet whatever a damaged one holds."""
    try:
        yield
    except BoardError:
        raise
    except Exception as error:
        raise BoardError(
            f"{path.name} is no truth table ({first_problem(error)!r:.200}); make it again"
        ) from error


def read_content(file: pq.ParquetFile, path: Path) -> Content:
    """What a truth table says of divisions and dataset; its columns are then the expected ones."""
    stored = json.loads((file.schema_arrow.metadata or {})[_METADATA_KEY])
    if stored["format"] > FORMAT:
        raise BoardError(f"{path.name} is of a newer format: upgrade llpbench")
    content = Content.model_validate(stored)
    check_columns(file.schema_arrow, content.columns)
    return content


def scored_divisions(truth: xr.Dataset) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Divisions that own scored chips, and how many; both of shape (division,).

    They are sorted, as scores have them; chips of no division have an empty id.
    """
    scored = np.isfinite(truth["truth"].to_numpy()).all(axis=1)
    divisions, chips = np.unique(truth["own_division"].to_numpy()[scored], return_counts=True)
    return divisions, chips


def _overlap_columns(truth: xr.Dataset) -> dict[str, Any]:
    """For each chip, the divisions it overlaps (their positions) and areas."""
    import pyarrow as pa

    pairs = truth.llp.overlaps()
    chips = truth.indexes["chip"].get_indexer(pairs["chip"])
    order = np.argsort(chips, kind="stable")
    offsets = np.searchsorted(chips[order], np.arange(truth.sizes["chip"] + 1)).astype(np.int32)
    divisions = truth.indexes["division"].get_indexer(pairs["division"])[order]
    values = (divisions.astype(np.int32), pairs["area_km2"].to_numpy()[order].astype(np.float32))
    return {
        name: pa.ListArray.from_arrays(offsets, column)
        for name, column in zip(OVERLAPS, values, strict=True)
    }


def to_dataset(table: pa.Table, content: Content) -> xr.Dataset:
    """Make rows of a truth table the dataset that is scored on."""
    import pandas as pd
    import xarray as xr

    import llpbench.data.accessor  # noqa: F401  (registers ds.llp)

    names, divisions = content.categories, content.divisions
    lists = {name: table[name].combine_chunks() for name in OVERLAPS}
    counts = np.diff(lists["overlap_area"].offsets.to_numpy())
    pairs = pd.DataFrame(
        {
            "chip": np.repeat(np.arange(table.num_rows), counts),
            "division": lists["overlap_division"].flatten().to_numpy(),
            "area": lists["overlap_area"].flatten().to_numpy().astype(np.float64),
        }
    )
    if not pairs["division"].between(0, len(divisions) - 1).all() or not (pairs["area"] >= 0).all():
        raise ValueError("its overlaps name divisions that are not there, or have no area")
    areas = overlap_matrix(pairs, (table.num_rows, len(divisions)))
    known = np.array(content.division_proportions, dtype=np.float32)
    shares = [table[f"truth:{name}"].to_numpy() for name in names]
    return xr.Dataset(
        {
            "truth": (("chip", "category"), np.stack(shares, axis=1)),
            "division_proportions": (("division", "category"), known),
            "target": (("chip", "category"), mix(areas, known).astype(np.float32)),
            "train_mean": ("category", np.array(content.train_mean, dtype=np.float64)),
            "overlap_chip": ("overlap", pairs["chip"].to_numpy(dtype=np.int32)),
            "overlap_division": ("overlap", pairs["division"].to_numpy(dtype=np.int32)),
            "overlap_area": ("overlap", pairs["area"].to_numpy(dtype=np.float32)),
        },
        {
            "chip": fixed_width(table["chip"].to_numpy()),
            "chip_number": ("chip", np.arange(table.num_rows, dtype=np.int32)),
            "split": ("chip", np.full(table.num_rows, SPLIT)),
            "own_division": ("chip", fixed_width(table["division"].to_numpy())),
            "division": fixed_width(divisions),
            "division_number": ("division", np.arange(len(divisions), dtype=np.int32)),
            "category": np.arange(len(names), dtype=np.int32),
            "category_name": ("category", fixed_width(names)),
        },
        {**content.attributes, "grouped": 1},
    )

"""Opening what a store holds: arrays and outlines of anybody, checked once, here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING, IMAGE
from llpbench.data.location import Location, Where, locate
from llpbench.data.parquet_files import LARGEST_FILE, check_columns, open_parquet
from llpbench.data.store.layout import CHIPS, DIVISIONS, StoreInfo, files_of
from llpbench.data.store.pixels import Expected, describe_pixels
from llpbench.data.text import fixed_width
from llpbench.data.zarr_files import check_zarr, open_zarr
from llpbench.errors import StoreError, examples
from llpbench.protocol import CODING_ATTRIBUTES, SPLITS

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow.parquet as pq
    import xarray as xr

    from llpbench.data.zarr_metadata import ArrayMetadata

BOUNDS = ("west", "south", "east", "north")

SHARE_SUM_TOLERANCE = 1e-4
LARGEST_TABLES = 2**33
"""Bytes of everything but the pixels, a text counted as a thousand: of two million chips."""
LONGEST_ID = 200

_TEXT = ("string", "large_string")
_DIVISION_COLUMNS = {"id": _TEXT, "name": _TEXT, "area_km2": ("double",), "geometry": ("binary",)}


_TABLES = {
    "chip_proportions": Expected(("chip", "category"), "float32"),
    "target": Expected(("chip", "category"), "float32"),
    "division_proportions": Expected(("division", "category"), "float32"),
    "overlap_chip": Expected(("overlap",), "int32"),
    "overlap_division": Expected(("overlap",), "int32"),
    "overlap_area": Expected(("overlap",), "float32"),
    "bounds": Expected(("chip", "bound"), "float64"),
    "chip": Expected(("chip",), "text"),
    "chip_number": Expected(("chip",), "int32"),
    "split": Expected(("chip",), "text"),
    "split_chip": Expected(("chip",), "text"),
    "own_division": Expected(("chip",), "text"),
    "lon": Expected(("chip",), "float64"),
    "lat": Expected(("chip",), "float64"),
    "division": Expected(("division",), "text"),
    "division_number": Expected(("division",), "int32"),
    "category": Expected(("category",), "int32"),
    "category_name": Expected(("category",), "text"),
    "bound": Expected(("bound",), "text"),
}


def open_chips(where: Where, info: StoreInfo) -> xr.Dataset:
    """Open the arrays of a store: all there, of their types and shapes, and at one with each other.

    Returns
    -------
    Dataset
        Pixels as dask arrays, everything else in memory, text in numpy's fixed width.
    """
    location = locate(where)
    try:
        return _open_checked(location / CHIPS, info)
    except StoreError as error:
        raise _damaged(location, error) from error


def _open_checked(location: Location, info: StoreInfo) -> xr.Dataset:
    pixels, tables = describe_pixels(info.imagery), _tables(info)
    arrays = _checked_arrays(location, info)
    if sum(array.nbytes for name, array in arrays.items() if name in tables) > LARGEST_TABLES:
        raise StoreError(f"its tables would take more than {LARGEST_TABLES} bytes")
    ds = open_zarr(location, arrays, decode=False)[[*tables, *pixels]]
    try:
        small = ds.drop_vars(list(pixels)).load()
    except Exception as error:  # whatever a damaged chunk makes zarr and its codecs raise
        raise StoreError(f"its arrays cannot be read ({error!r:.200})") from error
    text = {
        name: (array.dims, fixed_width(array.to_numpy()))
        for name, array in small.coords.items()
        if tables[str(name)].kind == "text"
    }
    small = small.assign_coords(text).drop_encoding().drop_attrs(deep=False)
    check_contents(small, info)
    shard, _chunk = files_of(info.imagery)
    return small.assign({name: read_later(ds[name].variable, shard) for name in pixels})


def check_layout(location: Location, info: StoreInfo) -> dict[str, ArrayMetadata]:
    """Refuse a store whose arrays are not all there, of their types and shapes; none is read."""
    try:
        return _checked_arrays(location / CHIPS, info)
    except StoreError as error:
        raise _damaged(location, error) from error


def _damaged(location: Location, error: StoreError) -> StoreError:
    return StoreError(f"{location.name} is damaged and cannot be opened: {error}; make it again")


def _checked_arrays(location: Location, info: StoreInfo) -> dict[str, ArrayMetadata]:
    expected = describe_pixels(info.imagery) | _tables(info)
    arrays = check_zarr(location, expected)
    _check_layout(arrays, info, expected)
    return arrays


def _tables(info: StoreInfo) -> dict[str, Expected]:
    """All arrays but the pixels."""
    names = {"band": IMAGE, "feature": EMBEDDING}
    present = [name for name, array in names.items() if array in info.imagery]
    return _TABLES | {name: Expected((name,), "text") for name in present}


def read_later(pixels: xr.Variable, chips: int) -> xr.Variable:
    """Make pixels on disk a dask array whose chunks are of so many chips."""
    import dask.array as da

    chunks = (chips, *pixels.shape[1:])
    array = da.from_array(_Pixels(pixels), chunks, name=False)  # type: ignore[no-untyped-call]
    return pixels.copy(data=array).drop_encoding()


@dataclass(frozen=True)
class _Pixels:
    """Pixels on disk; a chunk that is damaged is an error of the store, whoever reads it."""

    variable: xr.Variable

    @property
    def shape(self) -> tuple[int, ...]:
        return self.variable.shape

    @property
    def ndim(self) -> int:
        return self.variable.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.variable.dtype

    def __getitem__(self, key: Any) -> NDArray[Any]:
        try:
            return self.variable[key].to_numpy()
        except Exception as error:  # whatever a damaged chunk makes zarr and its codecs raise
            raise StoreError(
                f"pixels of a dataset cannot be read ({error!r:.200}); make or copy it again"
            ) from error


def read_divisions(where: Where) -> gpd.GeoDataFrame:
    """Read the outlines in a store: ``id``, ``name``, ``area_km2``, ``geometry`` in EPSG:4326."""
    import geopandas as gpd

    with _division_file(where) as (file, _table):
        return gpd.read_parquet(file, columns=list(_DIVISION_COLUMNS))


def read_division_facts(where: Where) -> pd.DataFrame:
    """Read ``name`` and ``area_km2`` of divisions by their ids, without outlines or geopandas."""
    with _division_file(where) as (_file, table):
        facts: pd.DataFrame = table.read(["id", "name", "area_km2"]).to_pandas()
        if not (np.isfinite(facts["area_km2"]) & (facts["area_km2"] > 0)).all():
            raise ValueError("areas of divisions are numbers above 0")
        return facts.set_index("id")


@contextmanager
def _division_file(where: Where) -> Iterator[tuple[BytesIO, pq.ParquetFile]]:
    """The file of divisions, in memory, and its table of the columns that it should have."""
    location = locate(where)
    try:
        file = BytesIO(location.read(DIVISIONS, LARGEST_FILE))
        with open_parquet(file) as table:
            check_columns(table.schema_arrow, _DIVISION_COLUMNS)
            yield file, table
    except Exception as error:  # whatever a damaged file makes pyarrow, geopandas or GEOS raise
        raise StoreError(
            f"{location.name}: {DIVISIONS} cannot be read ({error!r:.200}); make the store again"
        ) from error


def check_contents(ds: xr.Dataset, info: StoreInfo) -> None:
    """Refuse arrays that contradict each other, all but the pixels."""
    names = [label_class.name for label_class in info.label_set.classes]
    for name, expected in (
        ("category_name", names),
        *(
            (name, info.imagery[array].names)
            for name, array in (("band", IMAGE), ("feature", EMBEDDING))
            if array in info.imagery
        ),
        ("bound", BOUNDS),
        *((f"{what}_number", range(ds.sizes[what])) for what in ("chip", "division")),
        ("category", range(len(names))),
    ):
        found = ds[name].to_numpy().tolist()
        if found != list(expected):
            raise StoreError(f"{name} should be {list(expected)!r:.60}, it is {found!r:.60}")
    for name in ("chip", "division"):
        check_ids(ds[name].to_numpy(), name)
    if not np.isfinite(ds["bounds"].to_numpy()).all():
        raise StoreError("bounds of chips are not finite")
    for name in ("chip_proportions", "target", "division_proportions"):
        check_shares(ds[name].to_numpy(), name)
    _check_overlaps(ds)
    _check_splits(ds)


def _check_layout(
    arrays: Mapping[str, ArrayMetadata], info: StoreInfo, expected: Mapping[str, Expected]
) -> None:
    """Refuse arrays that are not those of a store, by their metadata alone."""
    if missing := expected.keys() - arrays.keys():
        raise StoreError(f"it has no array {examples(sorted(missing))}")
    if strange := arrays.keys() - expected.keys():
        raise StoreError(f"it has arrays that no store has: {examples(sorted(strange))}")
    sizes = {"category": len(info.label_set.classes), "bound": len(BOUNDS)}
    for name, (dims, kind, shape, attributes) in expected.items():
        array = arrays[name]
        coded = {key: array.attributes[key] for key in CODING_ATTRIBUTES if key in array.attributes}
        if coded != attributes:
            raise StoreError(f"{name} is coded as {coded!r:.80}, expected was {attributes!r:.80}")
        sizes |= dict(zip(dims[1:], shape, strict=False))
        if tuple(array.dimension_names) != dims or array.kind != kind:
            raise StoreError(
                f"{name} should be {kind} over {dims}, it is {array.kind} over "
                f"{tuple(array.dimension_names)!r:.80}"
            )
        for dim, size in zip(dims, array.shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise StoreError(f"{name} has {size} along {dim}, expected were {sizes[dim]}")
    if (info.chips, info.divisions) != (sizes["chip"], sizes["division"]):
        raise StoreError(
            f"it should hold {info.chips} chips and {info.divisions} divisions, it holds "
            f"{sizes['chip']} and {sizes['division']}"
        )


def check_ids(ids: NDArray[np.str_], what: str) -> None:
    """Refuse ids that are not one text each that prints."""
    counts = pd.Series(ids).value_counts()
    if (counts > 1).any():
        raise StoreError(
            f"ids of {what}s stand more than once: {examples(counts.index[counts > 1])}"
        )
    if not "".join(ids).isprintable() or "" in ids or ids.dtype.itemsize > 4 * LONGEST_ID:
        odd = [name for name in ids if not (name.isprintable() and 0 < len(name) <= LONGEST_ID)]
        raise StoreError(
            f"ids of {what}s are 1 to {LONGEST_ID} characters that print, found {examples(odd)}"
        )


def check_shares(shares: NDArray[np.float32], name: str) -> None:
    """Refuse known shares (n, category) that do not sum to 1, or are negative."""
    known = ~np.isnan(shares).all(axis=1)
    fits = np.abs(shares[known].sum(axis=1) - 1) <= SHARE_SUM_TOLERANCE
    fits &= (shares[known] >= 0).all(axis=1)
    if not fits.all():
        raise StoreError(f"{(~fits).sum()} rows of {name} do not sum to 1")


def _check_overlaps(ds: xr.Dataset) -> None:
    for what in ("chip", "division"):
        numbers = ds[f"overlap_{what}"].to_numpy()
        strange = (numbers < 0) | (numbers >= ds.sizes[what])
        if strange.any():
            raise StoreError(
                f"overlaps name {what}s from 0 to {ds.sizes[what] - 1}, found "
                f"{examples(numbers[strange].tolist())}"
            )
    areas = ds["overlap_area"].to_numpy()
    if not (np.isfinite(areas) & (areas >= 0)).all():
        raise StoreError("areas of overlaps are numbers from 0 upwards")
    pairs = pd.DataFrame({name: ds[f"overlap_{name}"] for name in ("chip", "division")})
    if pairs.duplicated().any():
        raise StoreError("a chip and a division overlap once, in the store they do so twice")


def _check_splits(ds: xr.Dataset) -> None:
    """Refuse splits of other names, owners that are not there, and divisions in two splits."""
    for name in ("split", "split_chip"):
        strange = set(np.unique(ds[name].to_numpy()).tolist()) - {*SPLITS}
        if strange:
            raise StoreError(f"expected splits {SPLITS}, found {examples(sorted(strange))}")
    owned = pd.DataFrame({"division": ds["own_division"], "split": ds["split"]})
    owned = owned[owned["division"] != ""]
    strange = set(owned["division"].unique()) - set(ds["division"].to_numpy().tolist())
    if strange:
        raise StoreError(
            f"chips belong to divisions that are not there: {examples(sorted(strange))}"
        )
    counts = owned.drop_duplicates()["division"].value_counts()
    if (counts > 1).any():
        raise StoreError(f"divisions own chips in two splits: {examples(counts.index[counts > 1])}")

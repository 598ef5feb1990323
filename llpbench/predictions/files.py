"""Predictions as files: csv and parquet for proportions, a zarr folder with a segmentation."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.text import fixed_width, variable_width
from llpbench.data.zarr_files import check_zarr, open_zarr
from llpbench.errors import PredictionsError, examples
from llpbench.predictions.table import ATTRIBUTES, make_predictions
from llpbench.writing import replacing

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xarray as xr

LARGEST_FILE = 2**30
"""Bytes of the largest table read; 70,000 chips of 5 categories need 5 MB."""
LARGEST_GRID = 2**34
"""Bytes of the largest segmentation read; 70,000 chips of 96x96 need 0.65 GB."""

LONGEST_ID = 200
"""Bytes of the longest chip id read; the published ones have 13."""

_METADATA_KEY = b"llpbench"
_NUMBERS = ("BOOLEAN", "INT32", "INT64", "FLOAT", "DOUBLE")
"""Parquet's physical types of a fixed size."""


def read_predictions(path: str | os.PathLike[str]) -> xr.Dataset:
    """Read a file of predictions.

    Parameters
    ----------
    path : path
        ``.csv`` or ``.parquet`` (columns ``chip``, then one for each category) or a ``.zarr``
        folder.

    Returns
    -------
    Dataset
        Not checked against any dataset yet.

    Raises
    ------
    PredictionsError
        If there is no such file, or it is no table of predictions.
    """
    path = Path(path)
    if not path.exists():
        raise PredictionsError(
            f"there are no predictions {str(path)!r}; give a csv, parquet or zarr"
        )
    if path.suffix.lower() not in _FORMATS:
        raise PredictionsError(
            f"{path.name} must end in .csv, .parquet or .zarr, to say how it is written"
        )
    if path.is_file() and path.stat().st_size > LARGEST_FILE:
        raise PredictionsError(
            f"{path.name} is {path.stat().st_size} bytes large; at most {LARGEST_FILE} are read"
        )
    reader, _writer = _FORMATS[path.suffix.lower()]
    try:
        return reader(path)
    except PredictionsError:
        raise
    except Exception as error:  # whatever a damaged file makes pandas, pyarrow or zarr raise
        raise PredictionsError(
            f"{path.name} cannot be read as predictions ({error!r:.200})"
        ) from error


def write_predictions(predictions: xr.Dataset, path: str | os.PathLike[str]) -> None:
    """Write predictions to a file, in one step.

    Parameters
    ----------
    predictions : Dataset
        As :func:`llpbench.predictions.table.make_predictions` makes them.
    path : path
        Ends in ``.csv`` or ``.parquet`` (proportions only) or ``.zarr``.

    Raises
    ------
    PredictionsError
        If the ending is another one, or a segmentation would be lost.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise PredictionsError(f"{path.name} must end in .csv, .parquet or .zarr")
    if "segmentation" in predictions and path.suffix.lower() != ".zarr":
        raise PredictionsError(f"{path.name} cannot hold a segmentation; write a .zarr folder")
    _reader, writer = _FORMATS[path.suffix.lower()]
    with replacing(path) as part:
        writer(predictions, part)


def _read_csv(path: Path) -> xr.Dataset:
    import pandas as pd

    return _from_table(pd.read_csv(path, dtype={"chip": str}), {}, path)


def _read_parquet(path: Path) -> xr.Dataset:
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    columns = [metadata.schema.column(number) for number in range(metadata.num_columns)]
    _check_columns(columns, metadata, path)
    # Ids stay encoded until they are known to be short: a long one, repeated, takes few bytes here.
    encoded = [column.path for column in columns if column.path == "chip"]
    table = pq.read_table(path, read_dictionary=encoded)
    for chunk in table["chip"].chunks if encoded else []:
        _check_ids(chunk, path)
    attributes = _attributes(json.loads((metadata.metadata or {}).get(_METADATA_KEY, b"{}")))
    return _from_table(table.to_pandas(ignore_metadata=True), attributes, path)


def _check_columns(
    columns: Sequence[pq.ColumnSchema], metadata: pq.FileMetaData, path: Path
) -> None:
    """Refuse what would be large when read, by what the file says of itself."""
    stored = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    inflated = max(stored, 8 * metadata.num_rows * metadata.num_columns)
    if inflated > LARGEST_FILE:
        raise PredictionsError(f"{path.name} would be {inflated} bytes large when read")
    odd = [
        column.path
        for column in columns
        if column.max_repetition_level
        or (column.physical_type not in _NUMBERS and column.path != "chip")
    ]
    if odd:
        raise PredictionsError(f"{path.name}: column {examples(odd)} must hold numbers only")


def _check_ids(ids: pa.Array, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(ids.type):
        longest = pc.max(pc.binary_length(ids.dictionary)).as_py() or 0
        if longest > LONGEST_ID:
            raise PredictionsError(
                f"{path.name}: chip ids of at most {LONGEST_ID} bytes are read, found {longest}"
            )


def _from_table(table: pd.DataFrame, attributes: dict[str, Any], path: Path) -> xr.Dataset:
    if "chip" not in table:
        raise PredictionsError(
            f"{path.name} must have a column 'chip', then one for each category; it has "
            f"{examples(map(str, table.columns)) or 'none'}"
        )
    shares = table.drop(columns="chip")
    if not shares.shape[1]:
        raise PredictionsError(
            f"{path.name} has no column but 'chip': shares of categories are missing"
        )
    odd = [str(name) for name in shares if len(table) and shares[name].dtype.kind not in "fiu"]
    if odd:
        raise PredictionsError(f"{path.name}: column {examples(odd)} must hold numbers only")
    if table["chip"].isna().any():
        raise PredictionsError(f"{path.name}: {table['chip'].isna().sum()} rows name no chip")
    return make_predictions(
        table["chip"].astype(str).to_numpy(dtype=str),
        [str(name) for name in shares.columns],
        shares.to_numpy(dtype=np.float64),
        **attributes,
    )


def _read_zarr(path: Path) -> xr.Dataset:
    check_zarr(path)
    with open_zarr(path) as file:
        if file.nbytes > LARGEST_GRID:
            raise PredictionsError(f"{path.name} would be {file.nbytes} bytes large when read")
        names = [name for name in ("proportions", "segmentation") if name in file]
        predictions = file[names].load()
    attributes = _attributes(predictions.attrs)
    return _with_text(predictions, fixed_width).drop_attrs().assign_attrs(attributes)


def _with_text(predictions: xr.Dataset, form: Callable[[Any], NDArray[Any]]) -> xr.Dataset:
    """Predictions whose coordinates, all text, are in a form of :mod:`llpbench.data.text`."""
    coords = predictions.coords.items()
    return predictions.assign_coords({name: (c.dims, form(c.to_numpy())) for name, c in coords})


def _attributes(stored: object) -> dict[str, Any]:
    """Those that predictions may have, of what a file says."""
    if not isinstance(stored, dict):
        return {}
    return {key: stored[key] for key in ATTRIBUTES if isinstance(stored.get(key), str | int)}


def _write_csv(predictions: xr.Dataset, path: Path) -> None:
    _to_table(predictions).to_csv(path, index=False)


def _write_parquet(predictions: xr.Dataset, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(_to_table(predictions), preserve_index=False)
    metadata = {_METADATA_KEY: json.dumps(_attributes(predictions.attrs)).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


def _to_table(predictions: xr.Dataset) -> pd.DataFrame:
    table = predictions["proportions"].to_pandas()
    table.columns.name = None
    return table.rename_axis("chip").reset_index()


def _write_zarr(predictions: xr.Dataset, path: Path) -> None:
    attributes = _attributes(predictions.attrs)
    stored = _with_text(predictions, variable_width).assign_attrs(attributes)
    chips = min(predictions.sizes["chip"], 4096) or 1
    grid = predictions.get("segmentation")
    encoding = {} if grid is None else {"segmentation": {"chunks": (chips, *grid.shape[1:])}}
    stored.to_zarr(
        path,
        mode="w",
        zarr_format=3,
        consolidated=False,
        encoding=encoding,
        write_empty_chunks=True,  # one that is missing is refused when it is read
    )


_Reader: TypeAlias = Callable[[Path], "xr.Dataset"]
_Writer: TypeAlias = Callable[["xr.Dataset", Path], None]
_FORMATS: dict[str, tuple[_Reader, _Writer]] = {
    ".csv": (_read_csv, _write_csv),
    ".parquet": (_read_parquet, _write_parquet),
    ".zarr": (_read_zarr, _write_zarr),
}

"""Predictions as parquet: judged by what the file says of itself before a column is read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.data.parquet_files import iterate_rows
from llpbench.data.text_tables import MOST_COLUMNS
from llpbench.errors import PredictionsError
from llpbench.predictions.columns import LONGEST_ID, could_name_chips, make_of_columns
from llpbench.predictions.table import known_attributes, to_table

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import xarray as xr

_METADATA_KEY = b"llpbench"
_INFLATED = 8 * 2**20
_BYTES_A_ROW = 4096
"""Bytes of all columns, those of text that is not read among them; and so many in any case."""

ROWS_AT_ONCE = 2**14
"""Rows that are taken together where a file is not read whole."""


class ParquetPredictions:
    """A file of predictions: what it says of itself, and its rows, all or some after others.

    Columns of text other than ids are not read.

    Parameters
    ----------
    path : Path
        The file.
    rows : int
        As many as it may have.

    Attributes
    ----------
    attributes : dict
        What the predictions say of themselves.
    """

    def __init__(self, path: Path, rows: int) -> None:
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            schema, self._metadata = file.schema_arrow, file.metadata
        if self._metadata.num_rows > rows or len(schema) > MOST_COLUMNS:
            raise PredictionsError(
                f"{path.name} has {self._metadata.num_rows} rows and {len(schema)} columns; "
                f"predictions of these chips have at most {rows} rows"
            )
        self._path = path
        numeric = [field.name for field in schema if _is_numeric(field.type)]
        self._ids = [
            field.name for field in schema if _is_text(field.type) and could_name_chips(field.name)
        ]
        self._columns = [*numeric, *self._ids]
        self._unread = [name for name in schema.names if name not in self._columns]
        _check_size(self._metadata, path)
        stored = (self._metadata.metadata or {}).get(_METADATA_KEY, b"{}")
        self.attributes: dict[str, Any] = known_attributes(json.loads(stored))

    def whole(self, categories: Collection[str] | None) -> xr.Dataset:
        """All rows; ``categories`` as for :func:`~llpbench.predictions.files.read_predictions`."""
        import pyarrow.parquet as pq

        # Ids stay encoded until they are known to be short: a long one, repeated, takes few bytes.
        table = pq.read_table(self._path, columns=self._columns, read_dictionary=self._ids)
        return self._made(table, categories)

    def pieces(self, categories: Collection[str] | None) -> Iterator[xr.Dataset]:
        """Some rows after others, so that no more are in memory than a row group."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self._path, read_dictionary=self._ids) as file:
            for table in iterate_rows(file, ROWS_AT_ONCE, self._columns):
                yield self._made(table, categories)

    def _made(self, table: pa.Table, categories: Collection[str] | None) -> xr.Dataset:
        for name in self._ids:
            table = _with_text(table, name, self._path)
        return make_of_columns(table, self._path.name, categories, self._unread, **self.attributes)


def read_parquet(path: Path, rows: int, categories: Collection[str] | None) -> xr.Dataset:
    """Read a file of at most so many rows; columns of text other than ids are not read."""
    return ParquetPredictions(path, rows).whole(categories)


def write_parquet(predictions: xr.Dataset, path: Path) -> None:
    """Write proportions, with the attributes as metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(to_table(predictions), preserve_index=False)
    metadata = {_METADATA_KEY: json.dumps(known_attributes(predictions.attrs)).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")


def _is_numeric(kind: pa.DataType) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_floating, pa.types.is_integer, pa.types.is_decimal, pa.types.is_null)
    return any(test(kind) for test in tests)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def _check_size(metadata: pq.FileMetaData, path: Path) -> None:
    """Refuse what would be large when inflated, by the sums of the file: its parts may abort."""
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    size = sum(group.total_byte_size for group in groups)
    if size > _INFLATED + metadata.num_rows * _BYTES_A_ROW:
        raise PredictionsError(
            f"{path.name} would be {size} bytes large when read; predictions have fewer"
        )


def _with_text(table: pa.Table, name: str, path: Path) -> pa.Table:
    """The table with a column of encoded ids as text, if they are short."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[name]
    if pa.types.is_dictionary(column.type):
        lengths = [pc.max(pc.binary_length(chunk.dictionary)).as_py() for chunk in column.chunks]
        longest = max((length for length in lengths if length), default=0)
        if longest > LONGEST_ID:
            raise PredictionsError(
                f"{path.name}: chip ids of at most {LONGEST_ID} bytes are read, found {longest}"
            )
    return table.set_column(table.column_names.index(name), name, column.cast(pa.string()))

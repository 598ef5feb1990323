"""Parquet files of anybody: what they say of themselves, before they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.errors import examples
from llpbench.reading import check_file

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

LARGEST_FILE = 2**30
LARGEST_TABLE = 2**31
"""Bytes when inflated."""
LARGEST_GROUP = 2**28
"""Bytes of a row group, of a file that is read group by group."""


def open_parquet(source: Path | BytesIO) -> pq.ParquetFile:
    """Open a parquet file that is not too large when read, and a regular one if it has a path.

    What is too large, or no parquet, is a ValueError (as pyarrow's errors are).
    """
    import pyarrow.parquet as pq

    file = pq.ParquetFile(check_file(source, LARGEST_FILE) if isinstance(source, Path) else source)
    metadata = file.metadata
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    stored = sum(group.total_byte_size for group in groups)
    size = max(stored, 8 * metadata.num_rows * metadata.num_columns)
    if size > LARGEST_TABLE:
        raise ValueError(f"it would take {size} bytes when read, at most {LARGEST_TABLE}")
    return file


def check_groups(metadata: pq.FileMetaData) -> None:
    """Refuse a file that is to be read group by group and has a large one, by a ValueError."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    size = max((group.total_byte_size for group in groups), default=0)
    if size > LARGEST_GROUP:
        raise ValueError(
            f"a row group takes {size} bytes when read; where files are large, those of at most "
            f"{LARGEST_GROUP} are: write more of them"
        )


def iterate_rows(
    file: pq.ParquetFile, rows: int, columns: Sequence[str] | None = None
) -> Iterator[pa.Table]:
    """Read a file group by group, at most so many rows at once; readers of all groups would grow.

    What :func:`check_groups` refuses is refused.
    """
    import pyarrow as pa

    check_groups(file.metadata)
    for group in range(file.metadata.num_row_groups):
        for batch in file.iter_batches(rows, [group], columns):
            yield pa.Table.from_batches([batch])


def check_columns(schema: pa.Schema, expected: dict[str, tuple[str, ...]]) -> None:
    """Refuse a table that lacks columns, or has them of other types, by a ValueError."""
    missing = expected.keys() - set(schema.names)
    if missing:
        raise ValueError(f"it has no column {examples(sorted(missing))}")
    found = {name: str(schema.field(name).type) for name in expected}
    odd = [f"{name}: {kind}" for name, kind in found.items() if kind not in expected[name]]
    if odd:
        raise ValueError(f"columns have types that are not expected, {examples(odd)}")

"""Truth tables to be scored on, also those that are too large to be read whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llpbench.board.truth import (
    OVERLAPS,
    SPLIT,
    Content,
    read_content,
    read_truth,
    readable,
    to_dataset,
)
from llpbench.data.parquet_files import iterate_rows
from llpbench.data.text import fixed_width
from llpbench.reading import check_file
from llpbench.scoring import SplitTruth, train_mean
from llpbench.scoring.split_truth import MOST_OPENED

if TYPE_CHECKING:
    import pyarrow.parquet as pq
    import xarray as xr

ROWS_AT_ONCE = 2**14


def open_truth(path: Path) -> SplitTruth:
    """Open a truth table to score on it: in blocks of chips where it has many.

    What is kept of a large one grows with its divisions alone.

    Parameters
    ----------
    path : Path
        As :func:`~llpbench.board.truth.write_truth` wrote it.

    Raises
    ------
    BoardError
        If it is damaged, as far as it is read.
    """
    import pyarrow.parquet as pq

    with readable(path), pq.ParquetFile(check_file(path)) as file:
        if file.metadata.num_rows > MOST_OPENED:
            return _in_blocks(path, read_content(file, path), file)
    return SplitTruth.of_opened(read_truth(path), SPLIT)


def _in_blocks(path: Path, content: Content, file: pq.ParquetFile) -> SplitTruth:
    divisions = to_dataset(file.schema_arrow.empty_table(), content)
    owners, areas = np.array([], dtype=str), np.zeros(divisions.sizes["division"])
    for table in iterate_rows(file, ROWS_AT_ONCE, ["division", *OVERLAPS]):
        owners = np.union1d(owners, fixed_width(table["division"].unique()))
        overlapped, shared = (table[name].combine_chunks().flatten() for name in OVERLAPS)
        areas += np.bincount(overlapped, shared, len(areas))
    return SplitTruth(
        info=divisions.llp.info,
        split=SPLIT,
        chips=file.metadata.num_rows,
        divisions=divisions,
        areas=areas,
        owners=owners,
        null=train_mean(divisions),
        blocks=lambda _labels: _blocks(path, content),
    )


def _blocks(path: Path, content: Content) -> Iterator[xr.Dataset]:
    import pyarrow.parquet as pq

    with readable(path), pq.ParquetFile(path) as file:
        for table in iterate_rows(file, ROWS_AT_ONCE):
            yield to_dataset(table, content)

"""Predictions as text: a line of names, then a line a chip; gzipped or not."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.text_tables import read_rows
from llpbench.errors import PredictionsError, examples

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

log = logging.getLogger(__name__)


def read_text_table(path: Path, largest: int) -> pa.Table:
    """Read a table with a heading, of at most so many bytes when inflated; all cells are text.

    A column that has no name is called ``""``, as the names of rows that R writes.
    """
    import pyarrow as pa

    rows, remarks = read_rows(_read(path, largest), path.name, PredictionsError)
    for remark in remarks:
        log.warning("%s", remark)
    body = rows.iloc[1:]
    names = _names(rows, body)
    counts = body.notna().sum(axis=1)
    odd = counts.index[counts != len(names)]
    if len(odd):
        row = body.loc[odd[0]].dropna()
        raise PredictionsError(
            f"{path.name} cannot be read as a table: each row must have {len(names)} cells, as its "
            f"heading has names, but row {odd[0]} has {len(row)}: {examples(row)}"
        )
    return pa.table([pa.array(body[name], pa.string()) for name in body], names=names)


def _read(path: Path, largest: int) -> bytes:
    with (gzip.open if path.suffix.lower() == ".gz" else Path.open)(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise PredictionsError(
            f"{path.name} would be more than {largest} bytes large when read; predictions of these "
            "chips are smaller"
        )
    return content


def _names(rows: pd.DataFrame, body: pd.DataFrame) -> list[str]:
    """A name for each column: R names rows but not their column; others end with one more."""
    names = [name.strip() for name in rows.iloc[0].dropna()]
    if len(body) and len(names) == rows.shape[1] - 1:
        return ["", *names] if body.iloc[0, -1] else [*names, ""]
    return names

"""Files of tables as offices keep them: delimited text, spreadsheets, parquet."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.spreadsheets import MOST_CELLS, read_sheet
from llpbench.data.building.table_numbers import is_number
from llpbench.data.building.table_units import is_unit
from llpbench.data.parquet_files import open_parquet
from llpbench.data.text_tables import MOST_COLUMNS, read_rows
from llpbench.errors import BuildError, examples
from llpbench.reading import check_file

LARGEST_FILE = 2**26
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How zip files (xlsx, ods) and xls begin."""


@dataclass(frozen=True)
class Cells:
    """The cells of a table below its heading: text, or numbers where the file has numbers.

    ``""`` where a cell is empty; ``remarks`` say what was guessed.
    """

    path: Path
    values: pd.DataFrame
    remarks: list[str] = field(default_factory=list)


def read_cells(path: Path, sheet: str | None = None) -> Cells:
    """Read a table of any kind; its contents say which, not its name.

    ``sheet`` is the name of a sheet, or its number from 1.
    """
    with check_file(path, LARGEST_FILE, BuildError, "table of shares").open("rb") as file:
        start = file.read(4)
    if start in _SPREADSHEETS:
        return _with_heading(path, pd.DataFrame(read_sheet(path, sheet)), [])
    if sheet is not None:
        raise BuildError(f"{path.name} is no spreadsheet, so --sheet must be left away")
    if start == b"PAR1":
        return Cells(path, _read_parquet(path))
    if start.startswith(b"\x1f\x8b"):
        raise BuildError(f"{path.name} is compressed; unpack it first")
    grid, remarks = read_rows(path.read_bytes(), path.name, BuildError)
    return _with_heading(path, grid.fillna(""), remarks)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_parquet(path) as file:
            about, schema = file.metadata, file.schema_arrow
        if about.num_rows * about.num_columns > MOST_CELLS or about.num_columns > MOST_COLUMNS:
            raise BuildError(
                f"{path.name} is too large for a table of shares: {about.num_rows:,} rows and "
                f"{about.num_columns:,} columns, at most {MOST_COLUMNS:,} and {MOST_CELLS:,} cells"
            )
        # A long text that stands in many rows takes few bytes in the file: it stays one text here.
        text = [field.name for field in schema if pa.types.is_string(field.type)]
        table = pq.read_table(path, read_dictionary=text).to_pandas()
    except (OSError, ValueError) as error:
        raise BuildError(f"{path.name} cannot be read as parquet ({error!s:.200})") from error
    named = [name for name in table.index.names if name is not None]
    table = table.reset_index(level=named) if named else table
    return _checked(path, table.set_axis([str(name) for name in table.columns], axis=1))


def _with_heading(path: Path, grid: pd.DataFrame, remarks: list[str]) -> Cells:
    """Find the heading: the line above the first that holds numbers, as wide as that."""
    if grid.shape[1] > MOST_COLUMNS:
        raise BuildError(
            f"{path.name} has more than {MOST_COLUMNS:,} columns; keep those of ids and classes"
        )
    filled = grid.map(lambda cell: str(cell).strip() != "")
    rows, columns = filled.any(axis=1), filled.any(axis=0)
    grid, filled = grid.loc[rows, columns], filled.loc[rows, columns]
    if not grid.size:
        raise BuildError(f"{path.name} is empty")
    top = _find_heading(path, grid, filled.sum(axis=1).to_numpy())
    has_units = top > 0 and _is_units(grid.iloc[top])
    top -= has_units
    if top:
        first = next(str(cell) for cell in grid.iloc[0] if str(cell).strip())
        remarks = [*remarks, f"{top} lines above the heading of {path.name} were left out: "
                   f"{examples([first])}"]  # fmt: skip
    names = [_text(cell) or f"Unnamed: {number}" for number, cell in enumerate(grid.iloc[top])]
    if has_units:
        units = map(_text, grid.iloc[top + 1])
        names = [f"{n} ({u})" if is_unit(u) else n for n, u in zip(names, units, strict=True)]
    body = grid.iloc[top + 1 + has_units :].reset_index(drop=True).set_axis(names, axis=1)
    return Cells(path, _checked(path, body), remarks)


def _is_units(row: pd.Series[Any]) -> bool:
    """Whether most cells of a line below the names are units."""
    return sum(is_unit(_text(cell)) for cell in row) > len(row) // 2


def _find_heading(path: Path, grid: pd.DataFrame, width: NDArray[np.int64]) -> int:
    """Row of the heading, by how many cells of each row are filled."""
    for row in range(len(grid)):
        if width[row] < max(2, width.max() // 2) or not any(map(is_number, grid.iloc[row])):
            continue
        above = [n for n in range(row) if width[n] >= max(2, width[row] - 1)]
        top = above[-1] if above else row
        break
    else:
        return int(np.argmax(width >= min(2, width.max())))
    cells = [_text(cell) for cell in grid.iloc[top]]
    numbers = [cell for cell in cells if is_number(cell)]
    if len(set(numbers)) == len(numbers) and all(map(str.isdecimal, numbers)):
        return top
    if (width[:top] > 1).any():
        raise BuildError(
            f"{path.name}: lines have more cells than the heading above them; where decimals have "
            "a comma, separate cells by semicolons"
        )
    raise BuildError(
        f"{path.name} must have a heading, a line of names above the rows and of no number or name "
        f"twice, found {examples(cells)}"
    )


def _checked(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    names = pd.Series(table.columns, dtype=str)
    twice = names[names.duplicated()]
    if len(twice):
        raise BuildError(
            f"{path.name}: each column must have a name of its own, but found twice: "
            f"{examples(twice.unique())}; rename one of them"
        )
    if table.shape[1] < 2 or not len(table):
        raise BuildError(
            f"{path.name} must have a column of ids and at least one of shares, separated by "
            f"commas, semicolons or tabs, and rows below its heading; found {examples(names)}"
        )
    table = table.astype(object)
    return table.where(table.notna(), "")


def _text(cell: Any) -> str:
    """A cell as text; a number without a fraction loses its point."""
    return f"{cell:.0f}" if isinstance(cell, float) and cell.is_integer() else str(cell).strip()

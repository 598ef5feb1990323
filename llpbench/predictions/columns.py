"""The columns of a table of predictions: which one names chips, which hold shares and intervals."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.data.text import plain_name
from llpbench.errors import PredictionsError, examples
from llpbench.predictions.intervals import find_columns, of_columns
from llpbench.predictions.names import match_categories
from llpbench.predictions.table import make_predictions

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

log = logging.getLogger(__name__)

LONGEST_ID = 200
"""Bytes of the longest chip id read; the published ones have 13."""
LARGEST_IDS = 2**28
"""Bytes of all ids, each as long as the longest."""
PERCENT_TOLERANCE = 3.0
"""How far sums of percentages may be from 100 to be known as such; whole ones are rounded."""

_ROW_NUMBERS = re.compile(
    r"|unnamed: ?\d+[\w.]*|x(\.\d+)?|\.\.\.\d+|(__)?index(_level_\d+__)?|level_\d+"
    r"|row[._ ]?(names?|numbers?|ids?)?|column1"
)
_MISSING = ("", "na", "nan", "n/a", "#n/a", "null", "none", "missing", "nothing")


def could_name_chips(name: str) -> bool:
    """Whether a column may hold the ids: it is called so, or has the name of an index."""
    return plain_name(name) == "chip" or _is_index(name)


def make_of_columns(
    table: pa.Table,
    where: str,
    categories: Collection[str] | None,
    unread: Sequence[str] = (),
    **attributes: str | int,
) -> xr.Dataset:
    """Make predictions of the columns of a file.

    A column is one of an interval if it is called after another, as ``tree_low90`` after ``tree``,
    and is none of ``categories`` itself. Columns of text that are called otherwise than
    ``categories``, where these are known, are left out; one of numbers is kept, for
    ``check_predictions`` to refuse.
    ``unread`` are names of further columns, which hold no numbers.
    """
    names = table.column_names
    cells = [_numbers(column) for column in table.columns]
    chip = _chip_column(names, cells, unread, where)
    rest = [
        (name, values)
        for place, (name, values) in enumerate(zip(names, cells, strict=True))
        if place != chip and (name or isinstance(values, str) or not np.isnan(values).all())
    ]
    counts = Counter([*(name for name, _values in rest), *unread])
    if twice := [name for name, count in counts.items() if count > 1]:
        raise PredictionsError(f"{where} has two columns {examples(twice)}; keep one of each")
    bounds = find_columns(dict(rest), dict(rest))
    if categories is not None:
        bounds = {n: b for n, b in bounds.items() if n not in match_categories([n], categories)}
    text = dict.fromkeys(unread, "text") | {n: v for n, v in rest if isinstance(v, str)}
    numbers = {name: values for name, values in rest if not isinstance(values, str)}
    if categories is not None:
        meant = match_categories(numbers, categories)
        text |= {
            n: "" for n, v in numbers.items() if n not in {*meant, *bounds} and np.isnan(v).all()
        }
    _leave_out_text(text, where, categories)
    shares = _without_row_numbers(
        {name: values for name, values in numbers.items() if name not in {*text, *bounds}},
        where,
        categories or (),
    )
    if not shares:
        raise PredictionsError(
            f"{where} has no column but 'chip': shares of categories are missing"
        )
    found = np.stack(list(shares.values()), axis=1)
    whole = _whole(found, where)
    fractions = {name: values / whole for name, values in numbers.items() if name in bounds}
    return make_predictions(
        _ids(table.column(chip), where),
        list(shares),
        found / whole,
        **of_columns(fractions, {n: bounds[n] for n in fractions}, list(shares), where),
        **attributes,
    )


def _is_index(name: str) -> bool:
    return _ROW_NUMBERS.fullmatch(name.strip().casefold()) is not None


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64] | str:
    """Numbers of a column, NaN where a cell is empty; or, of another one, what it holds."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_string(kind):
        return _numbers_of_text(column)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.to_numpy().astype(np.float64)
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64()).to_numpy()
    return str(kind)


def _numbers_of_text(column: pa.ChunkedArray) -> NDArray[np.float64] | str:
    """Numbers with a decimal point or comma, and maybe a percent sign."""
    import pandas as pd

    cells = pd.Series(column.to_pylist(), dtype=object).fillna("").str.strip(" \t\u00a0'\"")
    written = cells.str.removesuffix("%").str.strip().str.replace(",", ".", regex=False)
    empty = written.str.casefold().isin(_MISSING)
    numbers = pd.to_numeric(written.where(~empty), errors="coerce")
    odd = cells[numbers.isna() & ~empty]
    return f"text such as {examples([odd.iloc[0]])}" if len(odd) else numbers.to_numpy(np.float64)


def _chip_column(
    names: Sequence[str],
    cells: Sequence[NDArray[np.float64] | str],
    unread: Sequence[str],
    where: str,
) -> int:
    """Place of the column of ids: called so, or the only one without a name that holds text."""
    called = [i for i, name in enumerate(names) if plain_name(name) == "chip"]
    called = [i for i in called if names[i] == "chip"] or called
    if not called:
        text = [place for place, values in enumerate(cells) if isinstance(values, str)]
        called = [place for place in text if _is_index(names[place])]
    if len(called) != 1:
        raise PredictionsError(
            f"{where} must have a column 'chip', then one for each category; it has "
            f"{examples([*names, *unread]) or 'none'}"
        )
    if names[called[0]] != "chip":
        log.warning("%s: column %s was taken for 'chip'", where, examples([names[called[0]]]))
    return called[0]


def _leave_out_text(text: dict[str, str], where: str, categories: Collection[str] | None) -> None:
    """Say which columns of text are left out; refuse where one should hold shares."""
    needed = text if categories is None else match_categories(text, categories)
    if needed:
        found = ", ".join(sorted({text[name] for name in needed})[:3])
        raise PredictionsError(
            f"{where}: column {examples(needed)} must hold numbers only, found {found}"
        )
    if text:
        log.warning("%s: column %s holds no numbers and was left out", where, examples(text))


def _without_row_numbers(
    columns: dict[str, NDArray[np.float64]], where: str, categories: Collection[str]
) -> dict[str, NDArray[np.float64]]:
    """Leave out what programs add, the numbers of the rows, and say so."""
    numbered = [
        name
        for name, values in columns.items()
        if name not in categories and _is_index(name) and _number_rows(values)
    ]
    if numbered:
        log.warning("%s: column %s numbers the rows and was left out", where, examples(numbered))
    return {name: columns[name] for name in columns if name not in numbered}


def _number_rows(values: NDArray[np.float64]) -> bool:
    """Whether they are whole numbers from 0 on, none of which is there twice."""
    whole = np.isfinite(values) & (values >= 0) & (values == np.round(values))
    return bool(whole.all()) and len(np.unique(values)) == len(values)


def _ids(column: pa.ChunkedArray, where: str) -> NDArray[np.str_]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        raise PredictionsError(f"{where}: {column.null_count} rows name no chip")
    column = column.cast(pa.string())
    if pc.any(pc.equal(column, "")).as_py():
        raise PredictionsError(f"{where}: {pc.sum(pc.equal(column, '')).as_py()} rows name no chip")
    longest = pc.max(pc.binary_length(column)).as_py() or 0
    if longest > LONGEST_ID or longest * len(column) > LARGEST_IDS:
        raise PredictionsError(
            f"{where}: chip ids of at most {LONGEST_ID} bytes are read, found {longest} bytes in "
            f"one of {len(column)} rows"
        )
    return np.array(column.to_pylist(), dtype=str)


def _whole(shares: NDArray[np.float64], where: str) -> float:
    """What shares of a chip sum to: 1, or 100 in a table of percentages, known by their sums."""
    total = shares.sum(axis=1)
    if not len(total) or not (np.abs(total - 100) <= PERCENT_TOLERANCE).all():
        return 1.0
    log.warning("%s holds percentages, which sum to 100; they were divided by 100", where)
    return 100.0

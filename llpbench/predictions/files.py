"""Predictions as files: tables of proportions, and a zarr folder with a segmentation."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from llpbench.data.location import Folder
from llpbench.data.text import fixed_width, variable_width
from llpbench.data.zarr_files import check_zarr, open_zarr
from llpbench.data.zarr_sequence import ZarrSequence
from llpbench.errors import PredictionsError
from llpbench.predictions.columns import make_of_columns
from llpbench.predictions.intervals import BOUNDS
from llpbench.predictions.parquet import (
    ROWS_AT_ONCE,
    ParquetPredictions,
    read_parquet,
    write_parquet,
)
from llpbench.predictions.parts import is_parted, read_parts
from llpbench.predictions.table import known_attributes, to_table
from llpbench.predictions.text import read_text_table
from llpbench.protocol import WINDOW_SIDE
from llpbench.reading import check_file
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.data.zarr_metadata import ArrayMetadata

log = logging.getLogger(__name__)

MOST_CHIPS = 2**18
"""Rows that are read where the split is not known; the largest published dataset has 70,000."""
BYTES_A_CHIP = 4000
"""Bytes of a row of the largest table read; one of 5 categories has about 70, and with intervals at
4 levels 550."""

ENDINGS = ".csv, .parquet or .zarr"


def read_predictions(path: str | os.PathLike[str], split: xr.Dataset | None = None) -> xr.Dataset:
    """Read a file of predictions.

    Parameters
    ----------
    path : path
        A table with a column ``chip`` and one for each category: ``.csv``, ``.tsv`` or ``.txt``,
        also with ``.gz`` behind, ``.parquet`` or ``.pq``; a ``.zarr`` folder; or a folder of
        ``part-000000.parquet`` and so on. Separator, decimal sign, encoding and percentages are
        recognised, as are columns of intervals, such as ``tree_low90`` and ``tree_high90``.
    split : Dataset, optional
        The split they are about, which says how large the file can be and what categories are
        called; columns of text that are called otherwise are then left out.

    Returns
    -------
    Dataset
        Not checked against any dataset yet. What was left out or guessed is logged as a warning.

    Raises
    ------
    PredictionsError
        If there is no such file, it is no table of predictions, or much larger than those of the
        split can be.

    Examples
    --------
    >>> test = open_dataset("demo-esaworldcover", split="test")  # doctest: +SKIP
    >>> read_predictions("mine.csv", test)["proportions"].dims  # doctest: +SKIP
    ('chip', 'category')
    """
    path = Path(path)
    if not path.exists():
        raise PredictionsError(
            f"there are no predictions {str(path)!r}; give a csv, parquet or zarr"
        )
    rows = MOST_CHIPS if split is None else 2 * split.sizes["chip"] + 100
    categories = None if split is None else split.llp.group()["category_name"].to_numpy().tolist()
    reader = read_parts if is_parted(path) else _format(path)[0]
    if not path.is_dir():
        check_file(path, _largest(rows), PredictionsError)
    with _readable(path):
        return reader(path, rows, categories)


def read_pieces(path: Path, rows: int, categories: Collection[str] | None) -> Iterator[xr.Dataset]:
    """Read a parquet file or a zarr of at most so many rows, some rows after others."""
    with _readable(path):
        if path.suffix.lower() == ".zarr":
            yield from _zarr_pieces(path, rows)
        else:
            check_file(path, error=PredictionsError)
            yield from ParquetPredictions(path, rows).pieces(categories)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Name the file where pandas, pyarrow or zarr meet whatever a damaged one holds."""
    try:
        yield
    except PredictionsError:
        raise
    except Exception as error:
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
        Ends as :func:`read_predictions` has it; all but ``.zarr`` hold proportions and intervals
        only.

    Raises
    ------
    PredictionsError
        If the ending is another one, or a segmentation would be lost.
    """
    path = Path(path)
    _reader, writer = _format(path)
    if "segmentation" in predictions and writer is not _write_zarr:
        raise PredictionsError(f"{path.name} cannot hold a segmentation; write a .zarr folder")
    with replacing(path) as part:
        writer(predictions, part)


def _format(path: Path) -> tuple[_Reader, _Writer]:
    zipped = path.suffix.lower() == ".gz"
    ending = (path.with_suffix("") if zipped else path).suffix.lower()
    if ending not in _FORMATS or (zipped and ending not in _TEXT):
        raise PredictionsError(
            f"{path.name} must end in {ENDINGS}, to say how it is written; save other tables, such "
            "as those of Excel, feather or RDS, as one of these"
        )
    return _FORMATS[ending]


def _largest(rows: int) -> int:
    return 2**20 + rows * BYTES_A_CHIP


def _read_text(path: Path, rows: int, categories: Collection[str] | None) -> xr.Dataset:
    return make_of_columns(read_text_table(path, _largest(rows)), path.name, categories)


def _read_zarr(path: Path, rows: int, _categories: Collection[str] | None) -> xr.Dataset:
    arrays = _check_zarr(path, rows)
    with open_zarr(Folder(path), arrays) as file:
        return _loaded(file)


def _zarr_pieces(path: Path, rows: int) -> Iterator[xr.Dataset]:
    arrays = _check_zarr(path, rows)
    ids = ZarrSequence(Folder(path), "chip")
    with open_zarr(Folder(path), arrays, without=("chip",)) as file:
        for start in range(0, file.sizes["chip"], ROWS_AT_ONCE):
            piece = file.isel(chip=slice(start, start + ROWS_AT_ONCE))
            yield _loaded(piece.assign_coords(chip=ids.take(piece.sizes["chip"])))


def _check_zarr(path: Path, rows: int) -> dict[str, ArrayMetadata]:
    arrays = check_zarr(Folder(path))
    size = max((array.nbytes for array in arrays.values()), default=0)
    if size > rows * WINDOW_SIDE**2 * 8:
        raise PredictionsError(f"{path.name} would be {size} bytes large when read")
    return arrays


def _loaded(file: xr.Dataset) -> xr.Dataset:
    names = [name for name in ("proportions", "segmentation", *BOUNDS) if name in file]
    predictions = file[names].load()
    attributes = known_attributes(predictions.attrs)
    predictions = _with_text(predictions, fixed_width).drop_attrs().drop_encoding()
    return predictions.assign_attrs(attributes)


def _with_text(predictions: xr.Dataset, form: Callable[[Any], NDArray[Any]]) -> xr.Dataset:
    """Predictions whose coordinates of text are in a form of :mod:`llpbench.data.text`."""
    coords = predictions.drop_vars("level", errors="ignore").coords.items()
    return predictions.assign_coords({name: (c.dims, form(c.to_numpy())) for name, c in coords})


def _write_text(predictions: xr.Dataset, path: Path) -> None:
    names = path.name.lower()
    to_table(predictions).to_csv(
        path,
        index=False,
        sep="\t" if ".tsv" in names else ",",
        compression="gzip" if names.endswith(".gz") else None,
    )


def _write_zarr(predictions: xr.Dataset, path: Path) -> None:
    attributes = known_attributes(predictions.attrs)
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


_Reader: TypeAlias = Callable[[Path, int, Collection[str] | None], "xr.Dataset"]
_Writer: TypeAlias = Callable[["xr.Dataset", Path], None]
_TEXT: dict[str, tuple[_Reader, _Writer]] = dict.fromkeys(
    (".csv", ".tsv", ".txt"), (_read_text, _write_text)
)
_FORMATS: dict[str, tuple[_Reader, _Writer]] = {
    **_TEXT,
    **dict.fromkeys((".parquet", ".pq"), (read_parquet, write_parquet)),
    ".zarr": (_read_zarr, _write_zarr),
}

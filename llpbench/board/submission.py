"""An entry as it stands in its folder: metadata and predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.board.entry import Entry, validate_entry
from llpbench.board.layout import ENTRY, EntryFiles, list_entry_files
from llpbench.board.yaml_files import read_yaml
from llpbench.errors import BoardError, PredictionsError
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import check_predictions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Submission:
    """An entry and its files; predictions are read when they are asked for.

    Parameters
    ----------
    entry : Entry
    files : EntryFiles
    """

    entry: Entry
    files: EntryFiles

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.files.folder.name

    def predictions(self, truth: xr.Dataset) -> list[xr.Dataset]:
        """Read and check the predictions on one dataset.

        Parameters
        ----------
        truth : Dataset
            From :func:`llpbench.board.truth.read_truth`.

        Returns
        -------
        list of Dataset
            One a seed, in the order of ``entry.yaml``, chips in the order of the truth table.

        Raises
        ------
        BoardError
            If a file is not there or has not the form of the truth table.
        PredictionsError
            If the predictions do not fit.
        """
        dataset = truth.llp.info.name
        paths = self.files.predictions.get(dataset, {})
        seeds = self.entry.datasets[dataset].seeds
        missing = [seed for seed in seeds if seed not in paths]
        if missing:
            raise BoardError(f"{dataset}/seed-{missing[0]}.parquet is not there")
        return [_read(paths[seed], truth) for seed in seeds]


def read_submission(folder: Path) -> Submission:
    """Read the metadata of an entry and list its files.

    Parameters
    ----------
    folder : Path
        ``<team>__<method>``.

    Returns
    -------
    Submission

    Raises
    ------
    BoardError
        If anything in it is out of order; predictions are not looked at.
    """
    files = list_entry_files(folder)
    entry = validate_entry(read_yaml(folder / ENTRY))
    if entry.name != folder.name:
        raise BoardError(
            f"entry.yaml says team {entry.team!r} and method {entry.method!r}, so the folder must "
            f"be called {entry.name}, not {folder.name}"
        )
    return Submission(entry, files)


def _read(path: Path, truth: xr.Dataset) -> xr.Dataset:
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = f"{path.parent.name}/{path.name}"
    expected = {"chip", *truth["category_name"].to_numpy().tolist()}
    try:
        metadata = pq.read_metadata(path)
        rows, names = metadata.num_rows, metadata.schema.names
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PredictionsError(f"{where} is no parquet file ({error!r:.100})") from error
    if rows != truth.sizes["chip"] or set(names) != expected or len(names) != len(expected):
        raise PredictionsError(
            f"{where} must have {truth.sizes['chip']} rows and the columns {sorted(expected)}, "
            f"found {rows} rows and {len(names)} columns; start from "
            f"`llpbench template {truth.llp.info.name}`"
        )
    try:
        return check_predictions(read_predictions(path), truth)
    except PredictionsError as error:
        raise PredictionsError(f"{where}: {error}") from error

"""An entry as it stands in its folder: metadata, and predictions that are read once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.board.entry import Entry, Part, validate_entry
from llpbench.board.layout import ENTRY, EntryFiles, list_entry_files
from llpbench.board.result import Digests
from llpbench.board.yaml_files import read_yaml
from llpbench.errors import BoardError, LLPBenchError, PredictionsError
from llpbench.predictions.files import read_predictions
from llpbench.predictions.intervals import column_name, find_columns
from llpbench.predictions.table import check_predictions
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring import Scores, digest_predictions, score_checked

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Submission:
    """The metadata of an entry, checked, and its files, not yet opened."""

    entry: Entry
    files: EntryFiles

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.files.folder.name

    def other_data(self, truth: xr.Dataset) -> str:
        """Say that the entry is about another version of a dataset; empty where it is not."""
        info = truth.llp.info
        stated = self.entry.datasets[info.name].digest
        if stated == info.digest:
            return ""
        return (
            f"the predictions are about {info.name} with the digest {stated}, the board's has "
            f"{info.digest}: predict the dataset as it is published now"
        )

    def read(self, truth: xr.Dataset) -> EntryPredictions:
        """Read and check the predictions on the dataset of a truth table."""
        dataset = truth.llp.info.name
        if problem := self.other_data(truth):
            raise BoardError(problem)
        paths = self.files.predictions.get(dataset, {})
        seeds = self.entry.datasets[dataset].seeds
        missing = [seed for seed in seeds if seed not in paths]
        if missing:
            raise BoardError(f"{dataset}/seed-{missing[0]}.parquet is missing")
        return EntryPredictions(self, truth, [_read(paths[seed], truth) for seed in seeds])


@dataclass(frozen=True)
class EntryPredictions:
    """The predictions of an entry on one dataset; whatever is made of them is made once.

    ``seeds`` are in the order of ``entry.yaml``, their chips in that of the truth table.
    """

    submission: Submission
    truth: xr.Dataset
    seeds: list[xr.Dataset]

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        name: str = self.truth.llp.info.name
        return name

    @property
    def entry(self) -> Entry:
        """Metadata of the entry."""
        return self.submission.entry

    @property
    def part(self) -> Part:
        """Metadata of the entry about this dataset."""
        return self.entry.datasets[self.dataset]

    @cached_property
    def digests(self) -> Digests:
        """What scores of these predictions follow from."""
        return Digests(
            dataset=self.truth.llp.info.digest,
            predictions=[digest_predictions(seed) for seed in self.seeds],
            scorer=SCORER_VERSION,
        )

    @cached_property
    def scores(self) -> Scores:
        """Scores of the proportions."""
        return score_checked(self.seeds, self.digests.predictions, self.truth)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Predicted shares, shape (seed, chip, category)."""
        return np.stack([seed["proportions"].to_numpy() for seed in self.seeds]).astype(float)


def read_submission(folder: Path) -> Submission:
    """Read the metadata of an entry and list its files; predictions are not looked at."""
    files = list_entry_files(folder)
    entry = validate_entry(read_yaml(folder / ENTRY))
    if entry.name != folder.name:
        raise BoardError(
            f"entry.yaml says team {entry.team!r} and method {entry.method!r}, so the folder must "
            f"be called {entry.name}, not {folder.name}"
        )
    return Submission(entry, files)


def read_submissions(folders: Iterable[Path]) -> list[Submission]:
    """Read the metadata of several entries; an error says of which."""
    submissions = []
    for folder in folders:
        with naming(folder.name):
            submissions.append(read_submission(folder))
    return submissions


@contextmanager
def naming(entry: str) -> Iterator[None]:
    """Put the name of an entry before what is wrong with it."""
    try:
        yield
    except LLPBenchError as error:
        raise BoardError(f"{entry}: {error}") from error


def _read(path: Path, truth: xr.Dataset) -> xr.Dataset:
    import pyarrow as pa
    import pyarrow.parquet as pq

    where = f"{path.parent.name}/{path.name}"
    categories = truth["category_name"].to_numpy().tolist()
    expected = {"chip", *categories}
    try:
        metadata = pq.read_metadata(path)
        rows, names = metadata.num_rows, metadata.schema.names
    except (OSError, ValueError, pa.ArrowException) as error:
        raise PredictionsError(f"{where} is no parquet file ({error!r:.100})") from error
    bounds = find_columns(set(names) - expected, categories)
    others = [name for name in names if name not in bounds]
    has_columns = set(others) == expected and len(others) == len(expected)
    if rows != truth.sizes["chip"] or not has_columns:
        raise PredictionsError(
            f"{where} must have {truth.sizes['chip']} rows and the columns {sorted(expected)}, "
            f"maybe bounds such as {column_name(categories[0], 'low', 0.9)!r}, found {rows} rows "
            f"and {len(names)} columns; start from "
            f"`llpbench template {truth.llp.info.name}`"
        )
    try:
        return check_predictions(read_predictions(path, truth), truth)
    except PredictionsError as error:
        raise PredictionsError(f"{where}: {error}") from error

"""Files of predictions as they stand in the folder of an entry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.board.layout import check_folder_name
from llpbench.data.dataset import open_dataset
from llpbench.errors import PredictionsError
from llpbench.predictions.files import read_predictions, write_predictions
from llpbench.predictions.table import check_predictions
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr


def check_files(
    files: Sequence[Path], dataset: str, split: str = "test", *, renormalise: bool = False
) -> tuple[xr.Dataset, list[xr.Dataset]]:
    """Read predictions of a split of a dataset; the split, and they in its order."""
    part = open_dataset(dataset).llp.group().llp.split(split)
    checked = []
    for path in files:
        predictions = read_predictions(path, part)
        try:
            checked.append(check_predictions(predictions, part, renormalise=renormalise))
        except PredictionsError as error:
            raise PredictionsError(f"{path.name}: {error}") from error
    return part, checked


def seeds_of(predictions: Sequence[xr.Dataset]) -> list[int]:
    """Seeds that predictions say they are of, else their numbers from 0 on."""
    said = [one.attrs.get("seed") for one in predictions]
    known = [seed for seed in said if isinstance(seed, int) and 0 <= seed < 10**10]
    return known if len(set(known)) == len(said) else list(range(len(said)))


def write_seeds(predictions: Sequence[xr.Dataset], entry: Path, dataset: str) -> Path:
    """Write the folder of a dataset in the folder of an entry, which may be there; its path."""
    folder = entry.absolute() / dataset
    check_folder_name(entry.absolute().name)
    if folder.exists():
        raise PredictionsError(f"{str(folder)!r} exists; remove it or choose another entry")
    entry.mkdir(parents=True, exist_ok=True)
    with replacing(folder) as part:
        for seed, one in zip(seeds_of(predictions), predictions, strict=True):
            write_seed(one, part, seed)
    return folder


def write_seed(predictions: xr.Dataset, folder: Path, seed: int) -> None:
    """Write ``seed-<k>.parquet``, intervals in it, and, with a segmentation, ``seed-<k>.zarr``.

    Parameters
    ----------
    folder : Path
        Of the dataset, in that of the entry; made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shares = predictions.drop_vars("segmentation", errors="ignore")
    write_predictions(shares, folder / f"seed-{seed}.parquet")
    if "segmentation" in predictions:
        write_predictions(predictions, folder / f"seed-{seed}.zarr")

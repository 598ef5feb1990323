"""A trained method applied to a dataset of any size, by parts that a second start goes on with."""

from __future__ import annotations

import os
from pathlib import Path

from llpbench.crew import gather
from llpbench.data.cache import find_store
from llpbench.data.split_images import SplitImages
from llpbench.errors import MethodError, examples
from llpbench.methods.method import Method
from llpbench.protocol import ALL
from llpbench.running.drifting import compare_dataset, forget_refusal, refuse_drift
from llpbench.running.predicting_parts import PredictedParts, predict_parts
from llpbench.runs.record import read_appearance, read_run
from llpbench.runs.trained import load_trained


def predict_dataset(
    run: Path,
    dataset: str | os.PathLike[str],
    out: Path,
    *,
    split: str = ALL,
    force: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> PredictedParts:
    """Predict chips of a dataset by a trained method, into a folder of parquet files.

    The dataset is never in memory. The same call again goes on where it stopped: files that are
    whole stay as they are.

    Parameters
    ----------
    run : Path
        The folder of a run, see :func:`llpbench.run_method`. Its method sees images alone.
    dataset : str or path
        What :func:`llpbench.open_dataset` opens, an address as well. One that the method was not
        trained on has the same class groups and bands, and looks alike.
    out : Path
        A folder, new or of a call before; :func:`llpbench.evaluate` and ``llpbench map`` take it.
    split : {"train", "val", "test", "all"}
        Which chips.
    force : bool
        Whether to go on with images that look otherwise; the predictions say so.
    workers : int
        Processes that files are shared out to.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    MethodError
        If the method looks at all chips at once, or predicts other class groups.
    PredictionsError
        If the folder holds predictions of another method, dataset or split.
    DriftError
        If the images look otherwise; a table and a picture of that are left in the folder.
    """
    record = read_run(run).record
    method = load_trained(run, record)
    store = find_store(dataset)
    images = SplitImages(store.absolute() if isinstance(store, Path) else store, split)
    _check(record.method, method, images)
    forget_refusal(out)
    is_known = images.info.digest == record.trained_on_digest
    drift = None if is_known else compare_dataset(read_appearance(run), images)
    if drift is not None and drift.outside and not force:
        refuse_drift(drift, out, "how the images of this dataset became what it stores")
    with gather(workers, scheduler) as crew:
        return predict_parts(
            out,
            method,
            images,
            name=record.method,
            seed=record.seed,
            trained_on=record.trained_on,
            track=method.track if is_known else "cross-region",
            warning=str(drift) if drift is not None and drift.outside else "",
            crew=crew,
            progress=progress,
        )


def _check(name: str, method: Method, images: SplitImages) -> None:
    """Refuse a method that needs to know more, or predicts something else."""
    if method.inputs:
        raise MethodError(
            f"{name} needs inputs that no stored dataset has ({examples(method.inputs)}): add them "
            "to the dataset, opened, and give that to run_method as apply_to"
        )
    here = [group.name for group in images.info.label_set.groups]
    if here != (known := method.categories_.tolist()):
        raise MethodError(
            f"a method trained on the categories {known} cannot predict {here}: give a dataset "
            "with the same label set"
        )

"""A trained method applied where there are no labels: a new raster becomes a map."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.brief import Brief
from llpbench.crew import Crew, gather
from llpbench.data.appearance import Drift
from llpbench.data.building import Recipe, Splitting, build_region
from llpbench.data.building.legend import Legend, plain_label_set
from llpbench.data.building.legends import published
from llpbench.data.cache import cache_folder
from llpbench.data.dataset import open_dataset
from llpbench.data.store import read_info, write_store
from llpbench.data.store.layout import NAME
from llpbench.errors import BuildError, StoreError, examples
from llpbench.maps import MapFiles, write_map
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.predictions.files import write_predictions
from llpbench.running.drifting import advise, check_drift, forget_refusal, refuse_drift, write_drift
from llpbench.running.recoding import recode
from llpbench.running.reusing import reuse_recipe
from llpbench.runs.folder import choose_folder, claimed_folder, working_folder
from llpbench.runs.record import RunRecord, read_appearance, read_run
from llpbench.runs.trained import load_trained

if TYPE_CHECKING:
    from llpbench.catalog import LabelSet

DATASET = "dataset"
_SPLIT = "test"
_BYTES = (0.0, 255.0)
"""The scale of images whose training nobody wrote down."""


@dataclass(frozen=True, repr=False)
class Prediction(Brief):
    """What predicting a new region left in a folder: a dataset without labels, predictions, a map.

    ``drift`` is how far its images lie from those trained on, None where that is not known. The
    remarks are a sentence for each thing that was decided, mended or left out.
    """

    folder: Path
    dataset: Path
    predictions: Path
    map: MapFiles
    chips: int
    drift: Drift | None
    remarks: tuple[str, ...]


def predict_region(
    run: Path,
    recipe: Recipe,
    out: Path,
    *,
    match: str = "none",
    force: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> Prediction:
    """Apply a trained method to a new region and map it.

    New images are treated as those were that the method was trained on. Before anything is
    predicted, their colours are compared with those, see :mod:`llpbench.data.appearance`.

    Parameters
    ----------
    run : Path
        The folder of a run, see :func:`llpbench.run_method`.
    recipe : Recipe
        Images, and what is known of the divisions; labels, legend and splits do not matter. What it
        does not say of bands, scale, chips and projection is as in training. A method of the
        disaggregation track, such as one that ends in ``+rake``, needs divisions and their shares.
    out : Path
        A new folder.
    match : {"none", "histogram"}
        Whether each band is given the distribution of values that it had in training.
    force : bool
        Whether to go on with images of another kind, or that look otherwise; the map says so.
    workers : int
        Processes that the prediction of chips is shared out to.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    LLPBenchError
        If the run cannot be read, a raster is wrong, or the folder is taken. Nothing is left then.
    DriftError
        If the images look otherwise; a table and a picture of that are left in the folder.
    """
    record = read_run(run).record
    method = load_trained(run, record)
    remarks = _check_knowledge(record, method, recipe)
    forget_refusal(out)
    choose_folder(out, out.name, resume=False)  # is refused before anything is read
    recipe, more, warnings = reuse_recipe(record.recipe, recipe, force=force)
    with gather(workers, scheduler) as crew:
        region, even_more = build_region(
            replace(recipe, labels=(), legend=_legend(record, method), splitting=Splitting("test")),
            crew,
            progress=progress,
        )
        region, recoded = recode(region, record)
        remarks += [*more, *even_more, *recoded]
        source = recipe.names[0]
        region, drift, more = check_drift(read_appearance(run), region, match)
        if drift is not None and drift.outside:
            if not force:
                refuse_drift(drift, out, advise(drift, recipe.scale or _BYTES))
            warnings.append(str(drift))
        with (
            claimed_folder(out, out.name, resume=False) as folder,
            working_folder(folder, resume=False) as part,
        ):
            report = write_store(
                region,
                part.absolute() / DATASET,  # as workers elsewhere find it
                name=out.name if re.fullmatch(NAME, out.name) else DATASET,
                title=f"{source} without labels",
                licence="",
                attribution="",
                source=source,
                crew=crew,
                progress=progress,
            )
            said = {"warning": "; ".join(warnings)} if warnings else {}
            said |= {} if match == "none" else {"match": match}
            file, written = _predict(method, record, part, said, crew)
            if drift is not None:
                write_drift(drift, part)
    return Prediction(
        folder=folder,
        dataset=folder / DATASET,
        predictions=folder / file,
        map=MapFiles(**{name: folder / path.name for name, path in written.paths.items()}),
        chips=report.chips,
        drift=drift,
        remarks=(*remarks, *more, *warnings, *report.remarks),
    )


def _predict(
    method: Method, record: RunRecord, folder: Path, said: dict[str, str], crew: Crew
) -> tuple[str, MapFiles]:
    """Predict the dataset in a folder, write predictions and map beside it, and say where."""
    ds = open_dataset((folder / DATASET).absolute())  # as workers elsewhere find it
    predictions = gate.predict(
        method,
        ds.llp.group(),
        _SPLIT,
        name=record.method,
        seed=record.seed,
        trained_on=record.trained_on,
        crew=crew,
    ).assign_attrs(said)
    file = f"predictions.{'zarr' if 'segmentation' in predictions else 'parquet'}"
    write_predictions(predictions, folder / file)
    return file, write_map(predictions, ds, folder / "map.tif")


def _check_knowledge(record: RunRecord, method: Method, recipe: Recipe) -> list[str]:
    """Refuse a method that needs to know more; say it if one uses less than is known."""
    if method.inputs:
        raise BuildError(
            f"{record.method} needs inputs that a new image does not have "
            f"({examples(method.inputs)}): build a dataset of it, add them, and give that to "
            "run_method as apply_to"
        )
    if method.track == "disaggregation":
        if recipe.divisions is None or recipe.shares is None:
            raise BuildError(
                f"{record.method} spreads known shares of divisions over chips: give --divisions "
                "and --shares, or a run of another method"
            )
    elif recipe.shares is not None:
        return [
            f"{record.method} looks at imagery alone, so --shares are only written beside its "
            "predictions"
        ]
    return []


def _legend(record: RunRecord, method: Method) -> Legend:
    """The classes that a method was trained on, as a legend of class numbers."""
    label_set = _label_set(record, method.categories_.tolist())
    numbers = tuple((number,) for number in range(len(label_set.classes)))
    return Legend(label_set.name, label_set, numbers)


def _label_set(record: RunRecord, categories: list[str]) -> LabelSet:
    """Find the label set whose class groups a method predicts."""
    try:
        known = [read_info(cache_folder() / record.trained_on).label_set]
    except StoreError:
        known = []
    known += [legend.label_set for legend in reversed([*published().values()])]
    for label_set in known:
        if [group.name for group in label_set.groups] == categories:
            return label_set
    return plain_label_set(record.trained_on, categories)

"""A trained method applied where there are no labels: a new raster becomes a map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.building import Recipe, Splitting, build_region
from llpbench.data.building.legend import Legend, plain_label_set
from llpbench.data.building.legends import published
from llpbench.data.cache import cache_folder
from llpbench.data.dataset import open_dataset
from llpbench.data.store import read_info, write_store
from llpbench.errors import BuildError, StoreError
from llpbench.maps import MapFiles, write_map
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.registry import load_method
from llpbench.predictions.files import write_predictions
from llpbench.runs.folder import claimed_folder, working_folder
from llpbench.runs.record import RunRecord, read_run

if TYPE_CHECKING:
    from llpbench.catalog import LabelSet

DATASET = "dataset"
_SPLIT = "test"


@dataclass(frozen=True)
class Prediction:
    """What predicting a new region left in a folder: a dataset without labels, predictions, a map.

    The remarks are a sentence for each thing that was decided, mended or left out.
    """

    folder: Path
    dataset: Path
    predictions: Path
    map: MapFiles
    chips: int
    remarks: tuple[str, ...]


def predict_region(run: Path, recipe: Recipe, out: Path, *, progress: bool = False) -> Prediction:
    """Apply a trained method to a new region and map it.

    Parameters
    ----------
    run : Path
        The folder of a run, see :func:`llpbench.run_method`.
    recipe : Recipe
        Images, and what is known of the divisions; labels, legend and splits do not matter. Chips,
        bands and scale should be those of the region it was trained on. A method of the
        disaggregation track, such as one that ends in ``+rake``, needs divisions and their shares.
    out : Path
        A new folder.
    progress : bool
        Whether to show a progress bar.

    Raises
    ------
    LLPBenchError
        If the run cannot be read, a raster is wrong, or the folder is taken. Nothing is left then.
    """
    record = read_run(run).record
    method = load_method(record.method, run / "weights")
    remarks = _check_knowledge(record, method, recipe)
    legend = _legend(record, method)
    region, remarks_of_region = build_region(
        replace(recipe, labels=(), legend=legend, splitting=Splitting("test"))
    )
    with (
        claimed_folder(out, out.name, resume=False) as folder,
        working_folder(folder, resume=False) as part,
    ):
        report = write_store(
            region,
            part / DATASET,
            name=recipe.images[0].stem,
            title=f"{recipe.images[0].name} without labels",
            licence="",
            attribution="",
            source=recipe.images[0].name,
            progress=progress,
        )
        ds = open_dataset(part / DATASET)
        predictions = gate.predict(
            method,
            ds.llp.group(),
            _SPLIT,
            name=record.method,
            seed=record.seed,
            trained_on=record.trained_on,
        )
        ending = "zarr" if "segmentation" in predictions else "parquet"
        file = f"predictions.{ending}"
        write_predictions(predictions, part / file)
        written = write_map(predictions, ds, part / "map.tif")
    return Prediction(
        folder=folder,
        dataset=folder / DATASET,
        predictions=folder / file,
        map=MapFiles(**{name: folder / path.name for name, path in vars(written).items()}),
        chips=report.chips,
        remarks=(*remarks, *remarks_of_region, *report.remarks),
    )


def _check_knowledge(record: RunRecord, method: Method, recipe: Recipe) -> list[str]:
    """Refuse a method that needs to know more; say it if one uses less than is known."""
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

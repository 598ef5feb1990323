"""The paper's figures and tables, for any dataset and any runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench import plots
from llpbench.catalog import reported_results
from llpbench.data.picture import View
from llpbench.errors import LLPBenchError
from llpbench.methods import gate
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import check_predictions
from llpbench.protocol import SPLITS
from llpbench.reporting.tables import cross_region_table, footprint_table
from llpbench.runs.record import RECORD, read_run
from llpbench.runs.results import Result, find_results
from llpbench.runs.trained import load_trained
from llpbench.writing import replace_text

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def write_figures(
    ds: xr.Dataset,
    folder: Path,
    *,
    runs: Sequence[Path] = (),
    predictions: Sequence[Path] = (),
    rgb: Sequence[str] | None = None,
) -> list[Path]:
    """Write the figures of a dataset, and of results on it.

    Parameters
    ----------
    ds : Dataset
        All splits.
    folder : Path
        New or not. Files of the same name are replaced, each in one step.
    runs : sequence of Path
        Run folders, or folders of them: bars of those on the test split of this dataset, what
        those trained on it cost, and across regions all of them.
    predictions : sequence of Path
        Files of predictions, or run folders; each is mapped. With a run folder, its method
        predicts the splits that are not there.
    rgb : sequence of str, optional
        Bands that are shown of chips, as of ``ds.llp.plot_chip``.

    Returns
    -------
    list of Path
        ``area``, ``splits`` and, with labels, ``distributions`` and ``chips`` as PNG; ``map-*``
        for each of the predictions; ``results`` and the tables ``cross-region`` and ``footprint``
        in Markdown where there are results.

    Raises
    ------
    LLPBenchError
        If runs or predictions cannot be read, or are of another dataset; if there are no such
        bands.
    """
    View.of(ds, rgb)  # refuses before anything is written
    results = find_results(runs)
    mapped = [_read_predictions(path, ds) for path in predictions]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, draw in _pictures(ds, rgb, results, mapped):
        written.append(plots.write_figure(draw(), folder / f"{name}.png"))
    for name, text in _tables(ds, results):
        written.append(folder / f"{name}.md")
        replace_text(written[-1], text)
    return written


def _pictures(
    ds: xr.Dataset,
    rgb: Sequence[str] | None,
    results: Sequence[Result],
    mapped: Sequence[xr.Dataset],
) -> Iterator[tuple[str, Callable[[], Figure]]]:
    yield "area", partial(plots.draw_area, ds, rgb)
    yield "splits", partial(plots.draw_splits, ds)
    if not ds["chip_proportions"].isnull().all():
        yield "distributions", partial(plots.draw_distributions, ds)
        yield "chips", partial(plots.draw_samples, ds, rgb)
        names: list[str] = []
        for predictions in mapped:
            method = plots.file_name(predictions.attrs.get("method", "predictions"))
            names.append(method)
            number = f"-{names.count(method)}" if names.count(method) > 1 else ""
            yield f"map-{method}{number}", partial(plots.draw_landscape, ds, predictions)
    here = [
        result
        for result in results
        if result.record.dataset_digest == ds.llp.info.digest
        and result.record.split == "test"
        and result.record.track != "cross-region"
    ]
    reported = [
        result
        for result in reported_results()
        if result.dataset == ds.llp.info.name and result.track == "inductive"
    ]
    if here or reported:
        title = f"Results on the test split · {ds.llp.info.title}"
        yield "results", partial(plots.draw_results, here, reported, title)


def _tables(ds: xr.Dataset, results: Sequence[Result]) -> Iterator[tuple[str, str]]:
    name = ds.llp.info.name
    reported = [
        result for result in reported_results() if name in (result.dataset, result.trained_on)
    ]
    tracks = {result.track for result in reported} | {result.record.track for result in results}
    if "cross-region" in tracks:
        yield "cross-region", cross_region_table(results, reported)
    trained = [
        result for result in results if result.record.trained_on_digest == ds.llp.info.digest
    ]
    if trained:
        yield "footprint", footprint_table(trained)


def _read_predictions(path: Path, ds: xr.Dataset) -> xr.Dataset:
    """Predictions of chips of a dataset, whatever split they are of."""
    if (path / RECORD).exists():
        return _predict_all(path, ds)
    predictions = read_predictions(path, ds)
    grouped = ds.llp.group()
    known = grouped["chip"].isin(predictions["chip"].to_numpy())
    return check_predictions(predictions, grouped.isel(chip=known.to_numpy()))


def _predict_all(folder: Path, ds: xr.Dataset) -> xr.Dataset:
    """Predictions of all chips by the method that a run trained."""
    import xarray as xr

    record = read_run(folder).record
    grouped = ds.llp.group()
    method = load_trained(folder, record)
    if list(method.categories_) != list(grouped["category_name"].to_numpy()):
        raise LLPBenchError(
            f"the run in {str(folder)!r} was trained on the categories "
            f"{list(map(str, method.categories_))}, not on those of {ds.llp.info.name}"
        )
    facts: dict[str, Any] = {
        "name": record.method,
        "seed": record.seed,
        "trained_on": record.trained_on,
    }
    parts = [
        gate.predict(method, grouped, split, **facts)
        for split in SPLITS
        if grouped.llp.split(split).sizes["chip"]
    ]
    return xr.concat([part[["proportions"]] for part in parts], "chip", combine_attrs="override")
